"""Text from elsewhere shows as it is in Markdown, and does nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.shared.plain_text import printable_line
from reports.writers.gate.markdown_text import code, details, html_text, prose, shell_block, table
from tests.support.gate_results import HOSTILE

Render = Callable[[str], Any]
PIECES = st.lists(
    st.sampled_from([*"|`\\<>&*_~[]()#!@:$-+=.1 \n\r\x00aé漢", "<b>", "</td>", "```", "\\|", "&lt;", "1. "])
)
GAP = "\u200b"


@pytest.mark.parametrize("safe", [prose, code, html_text])
def test_a_hostile_text_makes_no_element_and_no_mention(safe: Callable[[str], str], rendered: Render) -> None:
    page = rendered(f"| head | b |\n|---|---|\n| {safe(HOSTILE)} | last |\n")
    assert set(page.tags) <= {"table", "thead", "tbody", "tr", "th", "td", "code"}
    assert page.columns == [2, 2]
    assert not page.unbalanced
    for active in ("@octocat", "@org", "#12", "GH-7", "://", "www."):
        assert active not in page.outside_code


@given(pieces=PIECES)
def test_any_text_shows_unchanged_as_a_paragraph(pieces: list[str], rendered: Render) -> None:
    text = "".join(pieces)
    page = rendered(prose(text))
    assert set(page.tags) <= {"p"}
    assert page.text.replace(GAP, "").strip() == printable_line(text)


@given(pieces=PIECES, safe=st.sampled_from([prose, code]))
def test_any_text_shows_unchanged_in_a_table(pieces: list[str], safe: Callable[[str], str], rendered: Render) -> None:
    text = "".join(pieces)
    page = rendered(f"| a | b |\n|---|---|\n| {safe(text)} | end |\n")
    assert page.columns == [2, 2]
    assert set(page.tags) <= {"table", "thead", "tbody", "tr", "th", "td", "code"}
    shown = page.text.replace(GAP, "").split("b", 1)[1].rsplit("end", 1)[0].strip()
    assert shown == (printable_line(text) or ("-" if safe is code else ""))


def test_ordinary_sentences_stay_readable_where_markdown_is_not_rendered() -> None:
    for text in ("sessions_lost was 3, not 0 (95%: 1 to 5)", "1.8 s, 2.1 s, -", "+18% of 40", "-1.4 points: p95"):
        assert prose(text) == text


def test_a_text_is_cut_between_characters_and_says_so() -> None:
    assert prose("é" * 500, 10) == "é" * 9 + "…"
    assert prose(" " * 5_000 + "late", 10) == "…"
    assert code("x" * 500, 10) == "`xxxxxxxxx…`"


def test_a_block_of_commands_cannot_be_closed_by_a_command(rendered: Render) -> None:
    page = rendered(shell_block(["echo '```'\n```\n<b>@octocat</b>", "x" * 5_000]) + "\n\nafter\n")
    assert page.tags == ["pre", "code", "p"]
    assert "1 command is too long to show" in page.text
    assert "octocat" not in page.outside_code


def test_a_closed_part_contains_markdown_and_is_closed(rendered: Render) -> None:
    page = rendered(details(html_text("a </summary></details> @b"), "| a |\n|---|\n| `x` |") + "\n\nafter\n")
    assert page.tags == ["details", "summary", "table", "thead", "tr", "th", "tbody", "tr", "td", "code", "p"]
    assert not page.unbalanced


def test_a_long_table_has_whole_rows_and_says_how_many_are_missing(rendered: Render) -> None:
    text = table(["a", "b"], [["x" * 100, str(number)] for number in range(200)])
    shown = text.count("xxx |")
    assert len(text.encode()) < 8_200
    assert f"{200 - shown} more rows are in `gate.json`." in text
    assert set(rendered(text).columns) == {2}
