"""`brownout up` and the commands from another terminal, for real: one session, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from chaos.cli.app import app
from reports.shared.errors import UserError
from tests.support.hand_session import HandSession
from tests.support.run_helpers import kill_all_of, of_run, report, until
from tests.support.small_disk import fill, small_disk


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.mark.long
def test_a_session_by_hand_from_start_to_report(tmp_path: Path) -> None:
    session = HandSession(tmp_path)
    try:
        assert session.states() == {"left-0": "running", "right-0": "running"}
        code, output = session.ask("inject", "kill", "--pool", "right")
        assert (code, output.splitlines()[-1]) == (0, "h1: confirmed")
        assert session.states()["right-0"] == "gone"
        os.kill(session.pid("left-0"), signal.SIGKILL)  # by somebody else
        until(lambda: "left-0 has ended by itself (killed by signal 9)" in session.output, "it is shown")
        code, output = session.ask("restart", "right-0")
        assert (code, "kill (h1) is active there" in output) == (2, True)
        assert session.ask("restart", "left-0")[0] == 0
        code, output = session.ask("abort")
        assert (code, "reverted and verified: h1" in output) == (0, True)
        assert session.states() == {"left-0": "running", "right-0": "running"}
        at = time.monotonic()
        session.process.send_signal(signal.SIGINT)
        assert session.process.wait(20) == 0, session.output
        assert time.monotonic() - at < 5.0
        session.nothing_left()
        assert list(session.runtime.iterdir()) == []
        code, output = report(session.folder)
        assert (code, "1. kill on right-0 (h1)" in output) == (0, True), output
    finally:
        kill_all_of(tmp_path)


@pytest.mark.long
def test_a_stack_whose_shepherd_is_gone_ends_and_says_so(tmp_path: Path) -> None:
    session = HandSession(tmp_path)
    try:
        os.kill(session.shepherd(), signal.SIGKILL)
        assert session.process.wait(20) == 5, session.output
        assert "the shepherd" in session.output
        assert "Traceback" not in session.output
        session.nothing_left()
    finally:
        kill_all_of(tmp_path)


@pytest.mark.long
def test_a_stack_whose_shepherd_is_stopped_ends_and_says_so(tmp_path: Path) -> None:
    session = HandSession(tmp_path)
    try:
        session.ask("inject", "freeze", "--pool", "right")
        os.kill(session.shepherd(), signal.SIGSTOP)
        assert session.process.wait(20) == 5, session.output
        assert "was stopped for 3 s" in session.output
        session.nothing_left()
    finally:
        kill_all_of(tmp_path)


@pytest.mark.long
def test_a_killed_stack_leaves_no_process_no_fault_and_no_name(tmp_path: Path) -> None:
    ports = free_ports(1)
    first = HandSession(tmp_path, "--port", str(ports[0]))
    try:
        assert first.ask("inject", "kill", "--pool", "right")[0] == 0
        assert first.ask("inject", "latency", "--pool", "left", "--delay", "50ms")[0] == 0
        first.process.kill()
        first.process.wait()
        assert "no stack is up" in first.ask("inject", "kill", "--pool", "left")[1]
        first.nothing_left()
        assert list(first.runtime.iterdir()) == []
        assert "nothing to undo" in first.ask("heal", str(first.folder))[1]
        assert report(first.folder)[0] == 3
        second = HandSession(tmp_path, "--port", str(ports[0]))
        assert second.status()["name"] == "small"
    finally:
        kill_all_of(tmp_path)


@pytest.mark.long
def test_a_stopped_stack_is_named_in_seconds_and_its_faults_end(tmp_path: Path) -> None:
    session = HandSession(tmp_path)
    try:
        assert session.ask("inject", "freeze", "--pool", "right")[0] == 0
        session.process.send_signal(signal.SIGSTOP)
        at = time.monotonic()
        code, output = session.ask("status")
        assert (code, "is stopped\n    let it continue: kill -CONT" in output) == (5, True)
        assert time.monotonic() - at < 15
        until(lambda: len(of_run(session.folder)) <= 1, "the shepherd has ended every process")
        session.process.send_signal(signal.SIGCONT)
        assert session.process.wait(20) == 5
        assert "lease expired" in session.output
        session.nothing_left()
    finally:
        kill_all_of(tmp_path)


@pytest.mark.long
def test_a_full_disk_ends_the_stack_and_report_says_so(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", size="600k") as disk:
        session = HandSession(tmp_path, "--runs", str(disk / "runs"))
        session.runs = disk / "runs"
        try:
            assert session.ask("inject", "kill", "--pool", "right")[0] == 0
            fill(disk)
            assert session.process.wait(40) == 5, session.output
            assert "the disk is full" in session.output
            assert "Traceback" not in session.output
            session.nothing_left()
            assert report(session.folder)[0] == 5
        finally:
            kill_all_of(tmp_path)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, list(words))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["serve", "stack", "--port", "8000"], "serve is called up now"),
        (["serve"], "brownout up [--stack NAME] [--port PORT]"),
        (["up", "--replicas-only", "--port", "19999"], "--replicas-only and --port exclude each other"),
        (["up", "--replicas-only", "--gateway", "nginx"], "--replicas-only and --gateway exclude each other"),
        (["up", "--first-port", "65534"], "6 replicas need the ports from there on"),
        (["up", "--first-port", "-3"], "--first-port -3"),
        (["up", "--first-port", "19100", "--port", "19103"], "the replicas have the ports 19100 to 19105"),
        (["up", "--stack", "nope"], 'no stack "nope"'),
        (["up", "--profile", "nope"], 'no profile "nope"'),
        (["up", "--gateway", "nope"], "nope"),
    ],
)
def test_a_mistake_starts_nothing_and_leaves_no_record(run: Any, tmp_path: Path, words: list[str], text: str) -> None:
    raised = run(*words).exception
    assert isinstance(raised, UserError)
    assert text in str(raised)
    assert not (tmp_path / "runs").exists()


def test_a_port_in_use_names_its_process(run: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        raised = run("up", "--port", str(port)).exception
        assert isinstance(raised, UserError)
        assert f"port {port} is in use by process {os.getpid()}" in str(raised)


def test_without_a_runtime_folder_nothing_is_started(run: Any, tmp_path: Path) -> None:
    (tmp_path / "brownout").mkdir()
    (tmp_path / "brownout").chmod(0o755)
    raised = run("up").exception
    assert isinstance(raised, UserError)
    assert "not a folder of yours with mode 0700" in str(raised)
    assert not (tmp_path / "runs").exists()
