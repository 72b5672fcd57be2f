"""Output that nobody reads, or that cannot be written: what is discarded, what waits, and what is an error."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

import pytest

from chaos.cli.console import open_console
from chaos.cli.lasting_output import LastingOutput, OutputError, lasting_output, nonblocking_output
from tests.support.paths import ROOT


def closed_pipe() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def closed_terminal() -> int:
    master, terminal = pty.openpty()
    os.close(master)
    return terminal


@pytest.mark.parametrize("make", [closed_pipe, closed_terminal])
def test_what_nobody_can_read_is_discarded(make: Callable[[], int]) -> None:
    with os.fdopen(make(), "w") as file:
        out = LastingOutput(file)
        console = open_console(cast(IO[str], out))
        console.print("x" * 100_000)
        print("more", file=cast(IO[str], out), flush=True)
        assert not out.closed
        file.write("also directly, and at the exit of Python")


def test_the_output_is_as_before_after_the_block() -> None:
    before = sys.stdout, sys.stderr
    with lasting_output():
        assert isinstance(sys.stdout, LastingOutput)
        assert isinstance(sys.stderr, LastingOutput)
    assert (sys.stdout, sys.stderr) == before


def full_pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)
    return reader, writer


def stopped_terminal() -> tuple[int, int]:
    master, terminal = pty.openpty()
    termios.tcflow(terminal, termios.TCOOFF)  # as Ctrl-S
    return master, terminal


def unread_terminal() -> tuple[int, int]:
    return pty.openpty()


@pytest.mark.parametrize("make", [full_pipe, stopped_terminal, unread_terminal])
def test_an_impatient_output_drops_what_is_not_taken(make: Callable[[], tuple[int, int]]) -> None:
    reader, writer = make()
    with os.fdopen(writer, "w") as file:
        out = LastingOutput(file)
        out.patience_s = 0.05
        begun = time.monotonic()
        for _ in range(1000):
            print("a line " * 50, file=cast(IO[str], out), flush=True)
        assert time.monotonic() - begun < 10
    os.close(reader)


def test_an_impatient_output_drops_what_a_ready_terminal_does_not_take(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise BlockingIOError

    master, terminal = unread_terminal()
    with os.fdopen(terminal, "w") as file:
        out = LastingOutput(file)
        out.patience_s = 0.05
        out.write("a line")
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", refuse)
            out.flush()
        out.write("another")
        out.flush()
    assert os.read(master, 100) == b"another"
    os.close(master)


def test_a_patient_output_waits_for_a_reader_and_loses_nothing() -> None:
    reader, writer = full_pipe()
    os.set_blocking(writer, False)  # as pipes of many CI systems
    with os.fdopen(writer, "w") as file:
        out = LastingOutput(file)
        text = "".join(f"line {number}\n" for number in range(20_000))
        writing = threading.Thread(target=print, args=(text,), kwargs={"end": "", "file": out, "flush": True})
        writing.start()
        received = b""
        while not received.endswith(b"line 19999\n"):
            received += os.read(reader, 65536)
        writing.join()
    assert received.lstrip(b"x").decode() == text
    os.close(reader)


def test_within_the_block_no_output_is_waited_for() -> None:
    with lasting_output():
        out = cast(LastingOutput, sys.stdout)
        with nonblocking_output():
            assert out.patience_s is not None
        assert out.patience_s is None


def test_a_full_disk_is_an_error_and_in_a_run_none() -> None:
    with open("/dev/full", "w") as file:
        out = LastingOutput(file)
        out.write("text")
        with pytest.raises(OutputError, match="No space left on device"):
            out.flush()
        out.patience_s = 0.1
        out.write("text")
        out.flush()


@pytest.mark.parametrize(
    ("encoding", "written"),
    [("ascii", "+ x ? # 1.2 s . \\u263a"), ("latin-1", "+ x ? # 1.2 s · \\u263a"), ("utf-8", "✓ ✗ ? ■ 1.2 s · ☺")],
)
def test_characters_that_an_encoding_lacks_are_replaced(tmp_path: Path, encoding: str, written: str) -> None:
    with open(tmp_path / "out", "w", encoding=encoding) as file:
        out = LastingOutput(file)
        out.write("✓ ✗ ? ■ 1.2 s · ☺")
        out.flush()
    assert (tmp_path / "out").read_text(encoding=encoding) == written


COMMAND = f"{sys.executable} -P -m chaos.cli.app"


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        pytest.param("list >&-", 0, "", marks=pytest.mark.long),
        ("run nosuch 2>&-", 2, ""),
        ("list --json >/dev/full", 5, "brownout: the output cannot be written: No space left on device\n"),
        ("list >&- 2>&- <&-", 0, ""),
        pytest.param("list --json >/dev/full 2>&1", 5, "", marks=pytest.mark.long),
        pytest.param("run nosuch 2>/dev/full", 2, "", marks=pytest.mark.long),
    ],
)
def test_streams_that_are_closed_or_full_change_no_exit_code_and_give_no_traceback(
    words: str, code: int, error: str
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", f"{COMMAND} {words}"], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (code, error)


def test_a_reader_that_ends_early_gets_its_lines_and_no_error_follows() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = f"set -o pipefail; {COMMAND} list --json | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[\n", "")
