from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reports.shared.plain_text import printable, printable_line


def test_control_characters_are_replaced_and_line_feeds_stay() -> None:
    assert printable("a\x1b[31mb\x07\tc\nd\u202ee\x9b") == "a\ufffd[31mb\ufffd\tc\nd\ufffde\ufffd"


@given(st.text())
def test_no_text_leaves_an_escape(text: str) -> None:
    assert not {"\x1b", "\x9b", "\r", "\x00"} & set(printable(text))


def test_a_line_has_no_line_breaks_and_nothing_invisible() -> None:
    assert printable_line(" a\r\n\tb\u200b\u07b2c\xa0 d\x1b[31m\ue000 ") == "a b c d [31m"


@given(st.text())
def test_any_text_becomes_a_printable_line_and_stays_one(text: str) -> None:
    line = printable_line(text)
    assert line.isprintable()
    assert line == line.strip()
    assert printable_line(line) == line
