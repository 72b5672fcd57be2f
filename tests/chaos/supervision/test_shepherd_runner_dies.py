"""No process and no fault outlives a run whose runner or shepherd is killed or stopped."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.supervision.identity import state_of
from chaos.supervision.undo import pending
from tests.support.shepherd_helpers import StandIn, all_gone, eventually, undo_server

Requests = list[tuple[str, str, str | None]]


@pytest.fixture(params=["asyncio", "uvloop"])
def stand_in(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[StandIn, Requests]]:
    with undo_server() as (url, got):
        one = StandIn(tmp_path, url, lease_s=2.0, loop=request.param)
        try:
            yield one, got
        finally:
            one.close()
            eventually(lambda: all_gone([one.shepherd, *one.processes]), "nothing left in /proc")


def test_the_stand_in_has_four_processes_and_one_is_frozen(stand_in: tuple[StandIn, Requests]) -> None:
    one, got = stand_in
    wanted = ["running", "stopped", "running", "running"]
    eventually(lambda: [state_of(process) for process in one.processes] == wanted, "one of them frozen")
    assert got == []


def test_after_the_runner_is_killed_all_processes_end_and_faults_are_undone(
    stand_in: tuple[StandIn, Requests], tmp_path: Path
) -> None:
    one, got = stand_in
    one.process.kill()
    eventually(lambda: all_gone([*one.processes, one.shepherd]), "children, the frozen one and the daemon gone")
    assert got == [("DELETE", "/behaviours/f1", "secret")]
    assert pending(tmp_path / "undo.jsonl") == []
    log = (tmp_path / "logs" / "shepherd.log").read_text()
    assert "exiting: the runner has exited" in log
    assert "undo f1: signal SIGCONT frozen: not signalled" in log, "it was killed before"


def test_a_stopped_runner_loses_its_lease_and_reports_it_when_it_continues(
    stand_in: tuple[StandIn, Requests], tmp_path: Path
) -> None:
    one, got = stand_in
    one.process.send_signal(signal.SIGSTOP)
    eventually(lambda: all_gone([*one.processes, one.shepherd]), "all gone, although the runner still exists")
    assert got == [("DELETE", "/behaviours/f1", "secret")]
    one.process.send_signal(signal.SIGCONT)
    last = one.last_message()
    assert "no message from the runner for 2 s" in str(last["gone"])
    assert last["not undone"] == []
    assert one.process.wait(10) == 5


def test_after_the_shepherd_is_killed_all_processes_end_and_the_runner_undoes(
    stand_in: tuple[StandIn, Requests], tmp_path: Path
) -> None:
    one, got = stand_in
    os.kill(one.shepherd.pid, signal.SIGKILL)
    eventually(lambda: all_gone(one.processes), "children killed by PDEATHSIG, the daemon by the runner")
    last = one.last_message()
    assert "killed by SIGKILL" in str(last["gone"])
    assert got == [("DELETE", "/behaviours/f1", "secret")]
    assert pending(tmp_path / "undo.jsonl") == []
    assert one.process.wait(10) == 5


def test_a_terminated_shepherd_undoes_the_faults_before_it_exits(stand_in: tuple[StandIn, Requests]) -> None:
    one, got = stand_in
    os.kill(one.shepherd.pid, signal.SIGTERM)
    eventually(lambda: all_gone(one.processes), "all gone")
    eventually(lambda: got == [("DELETE", "/behaviours/f1", "secret")], "the fault undone")
    assert "got SIGTERM" in str(one.last_message()["gone"])
    assert one.process.wait(10) == 5
