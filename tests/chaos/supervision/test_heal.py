"""`heal`: does what the undo file of an ended run still lists, and touches no other process."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from chaos.supervision.heal import Seen, by_hand, decide, heal, read_strictly
from chaos.supervision.identity import Identity, group_members, identify, state_of
from chaos.supervision.link import RUN_MARK
from chaos.supervision.undo import UndoFile, pending, read_file
from reports.shared.errors import UserError
from tests.support.shepherd_helpers import eventually, undo_server

WHO = Identity(77, 5, "boot")
THAW = {"do": "signal", "process": "tpu-0", "signal": "SIGCONT", **WHO._asdict()}
DELETE = {"do": "request", "method": "DELETE", "url": "http://127.0.0.1:9/behaviours/f1", **WHO._asdict()}
START = {"do": "start", "process": "tpu-0"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run-1"
    folder.mkdir()
    return folder


def started(*argv: str, **environment: str) -> tuple[subprocess.Popen[bytes], Identity]:
    env = {"PATH": os.environ["PATH"], **environment}
    process = subprocess.Popen(argv or ("sleep", "600"), start_new_session=True, env=env)
    who = identify(process.pid)
    assert who is not None
    return process, who


@pytest.fixture
def process() -> Iterator[Identity]:
    one, who = started(BROWNOUT_TOKEN="secret")
    try:
        yield who
    finally:
        one.kill()
        one.wait()


def freeze(who: Identity) -> None:
    os.kill(who.pid, signal.SIGSTOP)
    eventually(lambda: state_of(who) == "stopped", "frozen")


def is_stopped(who: Identity) -> bool:
    return state_of(who) == "stopped"


def has_members(leader: Identity, count: int) -> bool:
    return len(group_members(leader.pid)) == count


def arm(run: Path, fault: str, *records: dict[str, Any], owner: str = "run-1") -> None:
    UndoFile(run / "undo.jsonl", owner).arm(fault, records)


def thaw(who: Identity) -> dict[str, Any]:
    return {**THAW, **who._asdict()}


@pytest.mark.parametrize(
    ("record", "seen", "answer", "hand"),
    [
        (START, Seen(""), "already", ""),
        ({"do": "lapse", "process": "locust"}, Seen(""), "already", ""),
        (THAW, Seen("gone", "process 77 has exited"), "already", ""),
        (THAW, Seen("running"), "already", ""),
        (THAW, Seen("stopped", "", (WHO,)), "to do", "kill -CONT 77"),
        (THAW, Seen("gone", "", (WHO._replace(pid=78), WHO._replace(pid=79))), "to do", "kill -CONT 78 79"),
        ({**THAW, "signal": "SIGUSR1"}, Seen("running"), "to do", "kill -USR1 77"),
        (DELETE, Seen("gone", "process 77 has exited"), "already", ""),
        (
            DELETE,
            Seen("running"),
            "to do",
            'curl -X DELETE -H "X-Brownout-Token: '
            "$(tr '\\0' '\\n' < /proc/77/environ | sed -n 's/^BROWNOUT_TOKEN=//p')\" "
            "http://127.0.0.1:9/behaviours/f1",
        ),
        (
            {key: DELETE[key] for key in ("do", "method", "url")},
            Seen(""),
            "failed",
            'curl -X DELETE -H "X-Brownout-Token: TOKEN" http://127.0.0.1:9/behaviours/f1',
        ),
    ],
)
def test_each_record_is_decided_by_its_process(record: dict[str, Any], seen: Seen, answer: str, hand: str) -> None:
    assert decide(record, seen)[0] == answer
    assert by_hand(record, seen) == hand


def test_a_frozen_process_runs_again_and_the_file_says_so(run: Path, process: Identity) -> None:
    freeze(process)
    arm(run, "f1", thaw(process))
    [dry] = heal(run, dry_run=True).found
    assert (dry.answer, dry.hand, state_of(process)) == ("to do", f"kill -CONT {process.pid}", "stopped")
    assert len(pending(run / "undo.jsonl")) == 1
    healed = heal(run)
    assert ([one.answer for one in healed.found], healed.left) == (["undone"], False)
    assert state_of(process) == "running"
    assert json.loads((run / "undo.jsonl").read_text().splitlines()[-1])["by"] == "heal"
    assert heal(run).found == []


def test_a_process_that_reuses_the_pid_is_not_touched(run: Path, process: Identity) -> None:
    freeze(process)
    arm(run, "f1", thaw(process._replace(start_time=process.start_time - 1)))
    arm(run, "f2", thaw(process._replace(boot_id="another boot")))
    assert [(one.fault, one.answer) for one in heal(run).found] == [("f2", "already"), ("f1", "already")]
    assert state_of(process) == "stopped"
    assert pending(run / "undo.jsonl") == []


def test_what_a_dead_process_started_is_thawed_if_it_is_of_the_run(run: Path) -> None:
    for mark, wanted in (("run-1/abcd", "running"), ("run-2/abcd", "stopped")):
        leader, who = started("sh", "-c", "sleep 600 & wait", **{RUN_MARK: mark})
        try:
            eventually(partial(has_members, who, 2), "the leader has started a process")
            [other] = [one for one in group_members(who.pid) if one.pid != who.pid]
            os.killpg(who.pid, signal.SIGSTOP)
            eventually(partial(is_stopped, other), "frozen")
            leader.kill()
            leader.wait()
            assert (state_of(who), state_of(other)) == ("gone", "stopped")
            arm(run, "f1", thaw(who))
            [one] = heal(run).found
            assert state_of(other) == wanted, one
            assert (f"kill {other.pid}" in one.why) == (wanted == "running")
        finally:
            os.killpg(who.pid, signal.SIGKILL)


def test_a_request_takes_the_token_from_its_process_and_failures_are_recorded(run: Path, process: Identity) -> None:
    with undo_server() as (url, got):
        for fault, path in (("f1", "/ok"), ("f2", "/broken")):
            arm(run, fault, {**DELETE, **process._asdict(), "url": url + path})
        healed = heal(run)
    assert got == [("DELETE", "/broken", "secret"), ("DELETE", "/ok", "secret")]
    assert [(one.fault, one.answer) for one in healed.found] == [("f2", "failed"), ("f1", "undone")]
    assert healed.left
    assert "secret" not in healed.found[0].hand
    [left] = read_file(run / "undo.jsonl").pending
    assert left.failed == (f"DELETE {url}/broken: status 500",)


def test_a_request_is_not_sent_where_its_process_has_exited(run: Path) -> None:
    one, who = started()
    one.kill()
    one.wait()
    with undo_server() as (url, got):
        arm(run, "f1", {**DELETE, **who._asdict(), "url": url + "/behaviours/f1"})
        assert [found.answer for found in heal(run).found] == ["already"]
        assert got == []


def test_a_file_of_another_run_or_user_is_refused(
    run: Path, process: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    freeze(process)
    arm(run, "f1", thaw(process), owner="run-2")
    with pytest.raises(UserError, match="belongs to the run run-2, not to run-1"):
        heal(run)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(UserError, match="belongs to user"):
        heal(run)
    assert state_of(process) == "stopped"


def test_garbage_is_named_with_its_line_and_a_torn_end_is_left_out(run: Path) -> None:
    path = run / "undo.jsonl"
    assert read_strictly(path).faults == []
    arm(run, "f1", START)
    with path.open("ab") as file:
        file.write(b'{"fault":"f2","ow')
    assert heal(run).torn == [2]
    path.write_bytes(path.read_bytes() + b"[garbage]\n")
    with pytest.raises(UserError, match=r"undo\.jsonl:4: not .*: nothing was undone"):
        heal(run)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(UserError, match="cannot be read"):
        heal(run)


def test_a_record_that_cannot_be_done_fails_and_the_others_are_done(run: Path) -> None:
    records = [{"do": "explode"}, {"do": "signal", "process": "x", "signal": "SIGCONT"}]
    for number, record in enumerate(records):
        line = {"fault": f"f{number}", "owner": "run-1", "undo": [record]}
        with (run / "undo.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
    arm(run, "f9", START)
    answers = {one.fault: one.answer for one in heal(run).found}
    assert answers == {"f0": "failed", "f1": "failed", "f9": "already"}
    assert [one.fault for one in pending(run / "undo.jsonl")] == ["f0", "f1"]


_barrier: Barrier


def _begin_together(barrier: Barrier) -> None:
    global _barrier
    _barrier = barrier


def _heal_and_count(folder: Path) -> int:
    _barrier.wait(60)
    return len(heal(folder).found)


def test_two_at_once_undo_each_fault_once(run: Path, process: Identity) -> None:
    freeze(process)
    for number in range(20):
        arm(run, f"f{number}", thaw(process))
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(2, _begin_together, (spawn.Barrier(2),)) as pool:
        counts = pool.map(_heal_and_count, [run, run], chunksize=1)
    assert sum(counts) == 20
    assert state_of(process) == "running"
    assert not read_file(run / "undo.jsonl").bad


RUNNER = """
import asyncio, sys
from pathlib import Path
from chaos.supervision.supervisor import Supervisor
from tests.support.shepherd_helpers import spec

async def main(folder):
    async with Supervisor(run_dir=folder, owner=folder.name, token="secret") as supervisor:
        child = await supervisor.spawn(spec(folder, "tpu-0"))
        await supervisor.arm("f1", [{"do": "signal", "process": "tpu-0", "signal": "SIGCONT"}])
        await supervisor.signal("tpu-0", 19)
        print(*child.identity, supervisor.shepherd_pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main(Path(sys.argv[1])))
"""


def test_a_run_that_is_going_on_is_refused_and_healed_once_it_was_killed(run: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    runner = subprocess.Popen(
        [sys.executable, "-c", RUNNER, str(run)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
        start_new_session=True,
    )
    assert runner.stdout is not None
    try:
        pid, start_time, boot, shepherd = runner.stdout.readline().split()
        child, keeper = Identity(int(pid), int(start_time), boot), identify(int(shepherd))
        assert keeper is not None
        with pytest.raises(UserError, match=f"still going on .*process {runner.pid}.*kill -INT {runner.pid}"):
            heal(run)
        assert state_of(child) == "stopped"
        os.kill(runner.pid, signal.SIGSTOP)
        os.kill(keeper.pid, signal.SIGKILL)
        eventually(lambda: state_of(keeper) == "gone", "the shepherd is gone")
        with pytest.raises(UserError, match=f"kill -CONT {runner.pid}"):
            heal(run)
    finally:
        runner.kill()
        runner.wait()
        runner.stdout.close()
    eventually(lambda: state_of(child) == "gone", "the kernel killed the child of the shepherd")
    [one] = heal(run).found
    assert (one.fault, one.answer) == ("f1", "already")
    assert heal(run).found == []


def test_a_command_is_printed_and_run_only_if_that_is_allowed(run: Path) -> None:
    command = {"do": "exec", "argv": ["touch", "undone"], "cwd": str(run), "timeout_s": 5.0, "env": []}
    UndoFile(run / "undo.jsonl", run.name).arm("f1", [command])
    hand = f"(cd {run} && touch undone)"
    (dry,) = heal(run, dry_run=True, allow_exec=True).found
    assert (dry.answer, dry.why, dry.hand) == ("to do", "run touch undone", hand)
    (left,) = heal(run).found
    assert (left.answer, left.hand) == ("failed", hand)
    assert left.why == "run touch undone: a command of yours, not run without --allow-exec"
    assert not (run / "undone").exists()
    assert pending(run / "undo.jsonl")
    (done,) = heal(run, allow_exec=True).found
    assert (done.answer, done.why, done.hand) == ("undone", "touch undone: done", "")
    assert (run / "undone").exists()
    assert pending(run / "undo.jsonl") == []


def test_a_command_that_fails_stays_pending_with_its_output(run: Path) -> None:
    command = {"do": "exec", "argv": ["sh", "-c", "exit 4"], "cwd": str(run), "timeout_s": 5.0, "env": []}
    UndoFile(run / "undo.jsonl", run.name).arm("f1", [command])
    (left,) = heal(run, allow_exec=True).found
    assert (left.answer, left.why) == ("failed", "sh -c 'exit 4': exit code 4; it printed nothing")
    assert pending(run / "undo.jsonl")
