"""The process that plays a gate: it ends gently, and nothing of it outlives the caller."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import brownout
from brownout import gate_process
from brownout.children import python_words
from brownout.errors import GateTimeout
from brownout.gate_process import play
from tests.support.fake_gate import play_fake_gates
from tests.support.paths import ROOT
from tests.support.run_helpers import kill_all_of, of_run, until

CALLER = """
import sys, threading
import brownout
from brownout import client
from brownout.children import python_words
client.python_words = lambda *words: python_words(sys.argv[1], *words)
play = lambda: brownout.run("wait", out=sys.argv[2])
if sys.argv[3] == "thread":
    threading.Thread(target=play).start()
else:
    play()
"""


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    play_fake_gates(monkeypatch)
    monkeypatch.setenv("MARK", str(tmp_path))
    yield
    kill_all_of(tmp_path)


def interrupt_when_ready(folder: Path) -> threading.Thread:
    """Press Ctrl-C when the gate plays."""

    def interrupt() -> None:
        until(lambda: (folder / "ready").exists(), "the gate")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    return thread


def late_when_ready(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let 1,000 seconds pass at once when the gate plays."""
    real = time.monotonic
    clock = SimpleNamespace(monotonic=lambda: real() + 1000 * (folder / "ready").exists())
    monkeypatch.setattr(gate_process, "time", clock)


def left(folder: Path) -> list[int]:
    return of_run(folder)


def test_ctrl_c_reverts_before_it_goes_on(tmp_path: Path) -> None:
    thread = interrupt_when_ready(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        brownout.run("wait", out=tmp_path)
    thread.join()
    assert (tmp_path / "reverted").exists()
    assert left(tmp_path) == []


def test_a_gate_that_takes_too_long_is_ended_and_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    late_when_ready(monkeypatch, tmp_path)
    with pytest.raises(
        GateTimeout, match=r"longer than 500 s: it was ended, and its faults were reverted\.(?s:.*)reverted$"
    ):
        brownout.run("wait", out=tmp_path, timeout_s=500)
    assert left(tmp_path) == []


def test_an_error_of_the_caller_ends_the_gate(tmp_path: Path) -> None:
    def fail(line: str) -> None:
        until(lambda: (tmp_path / "ready").exists(), "the gate")
        raise ZeroDivisionError(line)

    with pytest.raises(ZeroDivisionError, match="playing wait"):
        brownout.run("wait", out=tmp_path, on_output=fail)
    assert (tmp_path / "reverted").exists()
    assert left(tmp_path) == []


def test_a_gate_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(gate_process, "GRACE_S", 0.4)
    late_when_ready(monkeypatch, tmp_path)
    with pytest.raises(GateTimeout, match=r"was killed(?s:.*) may be left\. Revert it with: brownout heal ") as caught:
        brownout.run("stubborn", out=tmp_path, timeout_s=500)
    assert f"brownout heal {tmp_path}. Its last output" in str(caught.value)
    assert "were reverted" not in str(caught.value)
    assert left(tmp_path) == []


@pytest.mark.parametrize("where", ["main", "thread"])
@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_a_gate_ends_with_its_caller(tmp_path: Path, where: str, signum: signal.Signals) -> None:
    fake = ROOT / "tests" / "support" / "fake_gate.py"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    caller = subprocess.Popen(python_words("-c", CALLER, str(fake), str(tmp_path), where), env=environment)
    until(lambda: (tmp_path / "ready").exists(), "the gate")
    caller.send_signal(signum)
    caller.wait()
    until(lambda: left(tmp_path) == [], "the end of the gate")
    assert (tmp_path / "reverted").exists()


def test_output_is_read_by_line_from_both_streams() -> None:
    code = "import os; os.write(1, b'a\\xff\\nb\\r\\n' + b'x' * 3000 + b'\\nlast'); os.write(2, b'error\\n')"
    lines: list[str] = []
    ended = play(python_words("-c", code), environment=os.environ, on_output=lines.append)
    assert sorted(lines) == sorted(["a�", "b", "x" * 2000, "last", "error"])
    assert (ended.code, ended.errors) == (0, "error")


def test_output_that_another_process_holds_open_delays_no_end(tmp_path: Path) -> None:
    code = "import subprocess, sys; print('before'); subprocess.Popen(['sleep', '600']); print('after')"
    ended = play(python_words("-c", code), environment=os.environ)
    assert (ended.code, ended.last) == (0, "before\nafter")
    assert len(left(tmp_path)) == 1, "what the gate leaves running goes on: a server that a revert has started"


def test_a_descriptor_stays_open_as_long_as_the_gate_runs() -> None:
    reading, writing = os.pipe()
    descriptors = "import os, sys; sys.exit(os.path.exists(f'/proc/{os.getppid()}/fd/' + sys.argv[1]))"
    assert play(python_words("-c", descriptors, str(writing)), environment=os.environ, keep_open=[writing]).code == 1
    assert play(python_words("-c", descriptors, str(writing)), environment=os.environ).code == 0
    os.close(reading)
    os.close(writing)


def test_a_command_that_cannot_be_started_is_a_failure() -> None:
    with pytest.raises(brownout.GateFailed, match="cannot be started: embedded null byte"):
        play(python_words("a\0b"), environment=os.environ)
