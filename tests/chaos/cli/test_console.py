"""What is printed is safe on a terminal, and lines in a log are whole."""

from __future__ import annotations

import io

import pytest
from rich.table import Table
from rich.text import Text

from chaos.cli.console import error_line, open_console, shell_path


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
