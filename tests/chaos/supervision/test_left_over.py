"""What an ended run says of its faults."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

from chaos.supervision.identity import identify, state_of
from chaos.supervision.left_over import left_over
from chaos.supervision.undo import UndoFile
from tests.support.shepherd_helpers import eventually

START = {"do": "start", "process": "tpu-0"}


def test_everything_was_reverted_only_where_every_armed_fault_is_disarmed(tmp_path: Path) -> None:
    assert (left_over(tmp_path).summary, bool(left_over(tmp_path))) == ("no fault was injected", False)
    file = UndoFile(tmp_path / "undo.jsonl", tmp_path.name)
    file.arm("f1", [START])
    file.arm("f2", [START])
    file.disarm("f1")
    assert left_over(tmp_path).summary.startswith("1 of 2 faults not reverted: f2 (a fault): the undo file does not")
    file.disarm("f2")
    assert (left_over(tmp_path).summary, left_over(tmp_path).lines) == ("every fault was reverted", [])


def test_what_is_left_names_kind_targets_reason_and_commands(tmp_path: Path) -> None:
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        who = identify(process.pid)
        assert who is not None
        os.kill(who.pid, signal.SIGSTOP)
        eventually(lambda: state_of(who) == "stopped", "frozen")
        file = UndoFile(tmp_path / "undo.jsonl", tmp_path.name)
        file.arm("f1", [{"do": "signal", "process": "tpu-0", "signal": "SIGCONT", **who._asdict()}])
        file.failed("f1", ["not permitted"], "shepherd")
        event = {"at": 1, "type": "fault", "stage": "injected", "id": "f1", "kind": "freeze", "targets": ["tpu-0"]}
        (tmp_path / "events.jsonl").write_text(json.dumps(event) + "\n" + '{"at": 2, "ty')
        left = left_over(tmp_path)
    finally:
        process.kill()
        process.wait()
    assert left.lines == [
        "NOT REVERTED: 1 of 1 faults of this run",
        "    f1 (freeze on tpu-0): not permitted",
        f"        by hand: kill -CONT {who.pid}",
        f"    undo it, and see what is left: brownout heal {tmp_path}",
    ]
    assert left_over(tmp_path).faults[0].commands == ()  # the process is gone now


def test_an_undo_file_that_cannot_be_read_leaves_it_unknown(tmp_path: Path) -> None:
    (tmp_path / "undo.jsonl").write_text("}\n")
    left = left_over(tmp_path)
    assert left
    assert left.summary.startswith("whether every fault was reverted is not known")
    assert left.lines[0].startswith("NOT KNOWN WHETHER EVERY FAULT WAS REVERTED")
    (tmp_path / "undo.jsonl").unlink()
    assert left_over(tmp_path).summary == "no fault was injected"
    left = left_over(tmp_path, ["f1", "f2"])
    assert left
    assert left.problem == f"{tmp_path / 'undo.jsonl'} does not list f1, f2: was it removed?"
    (tmp_path / "undo.jsonl").mkdir()
    assert left_over(tmp_path)
