"""Finds the line number of a place in JSON text, for error messages. Slow; only used after an error."""

from __future__ import annotations

import re
from json.decoder import JSONDecodeError, JSONDecoder

__all__ = ["line_of_byte", "line_of_path"]

_SPACE = re.compile(r"[ \t\r\n]*")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_DECODER = JSONDecoder()


def line_of_byte(raw: bytes, at: int) -> int:
    """The line number, from 1, of the byte at `at`."""
    return raw.count(b"\n", 0, at) + 1


def line_of_path(raw: bytes, path: str) -> int:
    """The line number, from 1, of a path such as `$.requests[3].out`, or of its nearest existing parent."""
    text = raw.decode("utf-8", "replace")
    at = _skip(text, 0)
    try:
        for key, index in _STEP.findall(path):
            below = _item(text, at, int(index)) if index else _member(text, at, key)
            if below is None:
                break
            at = below
    except (JSONDecodeError, IndexError, StopIteration):
        pass
    return text.count("\n", 0, at) + 1


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _member(text: str, at: int, key: str) -> int | None:
    if text[at] != "{":
        return None
    at = _skip(text, at + 1)
    while text[at] != "}":
        name, end = _DECODER.raw_decode(text, at)
        value = _skip(text, _skip(text, end) + 1)
        if name == key:
            return value
        at = _after(text, value)
    return None


def _item(text: str, at: int, index: int) -> int | None:
    if text[at] != "[":
        return None
    at = _skip(text, at + 1)
    while text[at] != "]":
        if index == 0:
            return at
        at, index = _after(text, at), index - 1
    return None


def _after(text: str, at: int) -> int:
    """Position of the next member or item after the value at `at`, or of the closing bracket."""
    end = _skip(text, _DECODER.raw_decode(text, at)[1])
    return _skip(text, end + 1) if text[end] == "," else end
