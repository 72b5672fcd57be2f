"""Decodes JSON as the vendors' SDKs do, and reads single values of any type from it.

Endpoints put null, a number with a fraction, or another type in many fields. Each function returns the value if it can
be used, and otherwise the absence of a value: an unusable field that is not needed must not spoil an answer.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

__all__ = [
    "NotJsonError",
    "as_body",
    "as_count",
    "as_list",
    "as_object",
    "as_text",
    "decode_json",
    "encode_json",
]

_MAX_COUNT = 2**53
"""A larger number is no count of anything, and does not fit into a span's attribute."""

_decode = msgspec.json.decode


class NotJsonError(ValueError):
    """The data is not JSON in UTF-8."""


def decode_json(data: bytes) -> object:
    """The decoded value. Raises `NotJsonError`.

    Python's decoder gets what msgspec refuses: a lone surrogate, NaN, a very large number, a byte order mark.
    """
    try:
        return _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        try:
            return json.loads(data.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            raise NotJsonError(str(error)) from error


def as_object(value: object) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_body(value: object) -> dict[str, Any] | None:
    """The value if it is an object, or the object in a list of one, as Gemini sends its errors; else None."""
    if isinstance(value, list) and len(value) == 1 and as_object(value[0]).get("error"):
        value = value[0]
    return value if isinstance(value, dict) else None


def as_list(value: object) -> list[Any]:
    """The value if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: object) -> str:
    """The value if it is text; the joined texts of an array of parts (`{"type": "text", "text": ...}`); else "".

    A lone surrogate, which cannot be encoded, becomes a question mark.
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return "".join(as_text(part if isinstance(part, str) else as_object(part).get("text")) for part in value)
    return ""


def as_count(value: object) -> int | None:
    """The value as a count, also if it is written with a fraction (12.0) or as text ("12"); None if it is no count."""
    if isinstance(value, str):
        value = int(value) if len(value) <= 16 and value.isascii() and value.isdigit() else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _MAX_COUNT:
        return None
    return int(value)


def encode_json(value: object) -> str:
    """The JSON text of a decoded value. Raises `NotJsonError` for one that is nested too deeply."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError as error:
        raise NotJsonError("nested too deeply") from error
    return text.encode("utf-8", "replace").decode()
