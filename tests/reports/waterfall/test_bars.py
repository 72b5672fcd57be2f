"""A waterfall as lines of text."""

from __future__ import annotations

from reports.waterfall.bars import Glyphs


def test_a_terminal_without_unicode_gets_ascii_characters() -> None:
    plain = Glyphs.for_encoding("ascii")

    assert all(getattr(plain, name).isascii() for name in plain.__slots__)
    assert Glyphs.for_encoding("utf-8").failed == "✗"
