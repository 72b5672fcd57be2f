"""The process between a caller and a gate: when it ends the gate, and with which exit code it ends itself."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from brownout import watcher
from brownout.children import python_words
from tests.support.run_helpers import kill_all_of, of_run, until

COUNTING = """
import signal, sys, time
def count(*_):
    open(sys.argv[1], "a").write("x")
signal.signal(signal.SIGINT, count)
open(sys.argv[1], "w").close()
while len(open(sys.argv[1]).read()) < int(sys.argv[2]):
    signal.sigtimedwait((), 0.02)
"""


@pytest.fixture(autouse=True)
def _mark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("MARK", str(tmp_path))
    yield
    kill_all_of(tmp_path)


def start(*command: str, caller: int | None = None, grace_s: float = 20) -> subprocess.Popen[bytes]:
    words = [str(watcher.__file__), str(caller or os.getpid()), str(grace_s), *command]
    return subprocess.Popen(python_words("-I", "-S", *words), start_new_session=True)


def counting(place: Path, until_count: int, grace_s: float = 20) -> subprocess.Popen[bytes]:
    process = start(*python_words("-c", COUNTING, str(place), str(until_count)), grace_s=grace_s)
    until(place.exists, "the command")
    return process


@pytest.mark.parametrize(
    ("code", "status"), [("exit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137), ("import time", 0)]
)
def test_the_exit_code_is_the_one_of_the_command(code: str, status: int) -> None:
    assert start(*python_words("-c", code)).wait(20) == status


def test_nothing_starts_if_the_caller_has_ended() -> None:
    assert start("/bin/false", caller=1).wait(20) == 130


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_is_passed_on_as_an_interrupt(tmp_path: Path, signum: signal.Signals) -> None:
    process = counting(tmp_path / "count", 2)
    process.send_signal(signum)
    until(lambda: (tmp_path / "count").read_text() == "x", "the first interrupt")
    process.send_signal(signum)
    assert process.wait(20) == 0


def test_a_command_that_goes_on_gets_a_second_interrupt_and_is_killed(tmp_path: Path) -> None:
    process = counting(tmp_path / "count", 3, grace_s=1)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 137
    assert (tmp_path / "count").read_text() == "xx"


def test_the_command_ends_if_its_watcher_is_killed(tmp_path: Path) -> None:
    process = counting(tmp_path / "count", 1)
    process.kill()
    process.wait()
    until(lambda: of_run(tmp_path) == [], "the end of the command")
    assert (tmp_path / "count").read_text() == "x"


def test_the_command_obeys_an_interrupt_where_the_caller_ignores_it() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does for a command in the background
    try:
        code = "import signal; exit(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
        assert start(*python_words("-c", code)).wait(20) == 1
    finally:
        signal.signal(signal.SIGINT, before)
