"""A real run with commands as its fault, and with an alert that one of them sends."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from chaos.supervision.undo import read_file
from tests.support.run_helpers import Run, brownout, write_experiment

pytestmark = pytest.mark.long

SENDER = """
import json, sys, urllib.request
port, status = sys.argv[1:]
alert = {"status": status, "labels": {"alertname": "Down"}, "fingerprint": "1"}
request = urllib.request.Request(f"http://127.0.0.1:{port}/", json.dumps({"alerts": [alert]}).encode())
request.add_header("Content-Type", "application/json")
urllib.request.urlopen(request)
open("fault", "w") if status == "firing" else __import__("os").remove("fault")
"""


def test_a_fault_by_commands_is_played_alerted_and_reverted(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    send = f'[python3, send.py, "{port}"'
    commands = f"inject: {send}, firing], confirm: [test, -e, fault], revert: {send}, resolved]"
    fault = f"{{at: 0s, for: 1s, exec: {{{commands}}}}}"
    path = write_experiment(tmp_path, fault=fault, gates="time_to_alert <= 5 s, false_alerts == 0")
    (tmp_path / "send.py").write_text(SENDER)
    path.write_text(path.read_text() + f"alerts: {{port: {port}}}\n")
    run = Run(path, tmp_path / "runs", "--allow-exec")
    assert run.end() == 0, run.output
    assert "alert: Down, received at" in run.output
    assert "fault: exec on system, from 3 s to" in run.output
    assert "which calls met it is not known" in run.output
    assert [one.done_by for one in read_file(run.folder / "undo.jsonl").faults] == ["runner"]
    report = json.loads((run.folder / "report.json").read_text())
    (told,) = report["faults"]
    assert (told["hits"], told["doubts"], told["traits"]["where"]) == (None, [], "system")
    assert [change["status"] for change in report["alerts"]["changes"]] == ["firing", "resolved"]
    assert not (tmp_path / "fault").exists()
    run.nothing_left()


def test_a_revert_that_fails_is_said_last_and_heal_runs_it(tmp_path: Path) -> None:
    fault = "{at: 0s, for: 1s, exec: {inject: [touch, fault], revert: [sh, -c, 'test -e ready && rm -f fault']}}"
    run = Run(write_experiment(tmp_path, fault=fault), tmp_path / "runs", "--allow-exec", "--quiet")
    assert run.end() == 5, run.output
    by_hand = f"by hand: (cd {tmp_path} && sh -c 'test -e ready && rm -f fault')"
    last = run.output[run.output.index("NOT REVERTED: 1 of 1 faults") :]
    assert by_hand in last
    assert f"brownout heal {run.folder} --allow-exec" in last
    assert (tmp_path / "fault").exists()
    assert brownout("heal", str(run.folder)).returncode == 5
    (tmp_path / "ready").touch()
    assert brownout("heal", str(run.folder), "--allow-exec").returncode == 0
    assert not (tmp_path / "fault").exists()
