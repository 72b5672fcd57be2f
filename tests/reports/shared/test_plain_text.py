from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reports.shared.plain_text import printable


def test_control_characters_are_replaced_and_line_feeds_stay() -> None:
    assert printable("a\x1b[31mb\x07\tc\nd\u202ee\x9b") == "a\ufffd[31mb\ufffd\tc\nd\ufffde\ufffd"


@given(st.text())
def test_no_text_leaves_an_escape(text: str) -> None:
    assert not {"\x1b", "\x9b", "\r", "\x00"} & set(printable(text))
