"""Text from files and servers, made safe to show: no control characters, which a terminal would obey."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["printable", "printable_line"]

_UNPRINTABLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, apart from tab and line feed
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that change the direction of text
    "\u2028\u2029\ufeff\ud800-\udfff]"  # line separators, byte order mark, lone surrogates
)
_REPLACEMENT: Final = "\ufffd"


def printable(text: str) -> str:
    """The text with a replacement character in place of each control character. Tabs and line feeds stay."""
    return _UNPRINTABLE.sub(_REPLACEMENT, text)


def printable_line(text: str) -> str:
    """The text on one line: one space in place of spaces, and of what `str.isprintable` refuses."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
