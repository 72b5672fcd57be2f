"""What is printed is safe on a terminal, and lines in a log are whole."""

from __future__ import annotations

import io
import os
import pty
import sys
from collections.abc import Callable
from typing import IO, cast

import pytest
from rich.table import Table
from rich.text import Text

from chaos.cli.console import LastingOutput, error_line, lasting_output, open_console, shell_path


def test_control_characters_of_texts_are_not_sent_and_colours_are() -> None:
    out = io.StringIO()
    console = open_console(out, force_terminal=True, width=80, color_system="standard")
    table = Table()
    table.add_row("evil \x1b]0;title\x07")
    console.print(table)
    console.print(Text("title \x1b[2J \u202e", style="red"))
    sent = out.getvalue()
    assert "\x1b]0" not in sent
    assert "\x1b[2J" not in sent
    assert "\u202e" not in sent
    assert "\x1b[31m" in sent


def test_lines_in_a_log_are_not_wrapped_and_brackets_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    out = io.StringIO()
    path = "/tmp/[red]my runs/" + "x" * 200
    open_console(out).print(f"report: {path}")
    assert out.getvalue() == f"report: {path}\n"


def test_an_error_is_safe_too(capsys: pytest.CaptureFixture[str]) -> None:
    error_line("title \x1b[2J")
    assert capsys.readouterr().err == "brownout: title \ufffd[2J\n"


def test_a_path_is_quoted_where_a_shell_needs_it() -> None:
    assert [shell_path(path) for path in ("runs/a", "my runs/[a]")] == ["runs/a", "'my runs/[a]'"]


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
