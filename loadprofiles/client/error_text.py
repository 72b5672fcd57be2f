"""What a target said about a failure, as one short line: from error objects and error pages of any shape.

The line is at most `MAX_TEXT_CHARS` long, has no control characters, and contains no key: neither a configured secret
nor anything that looks like an API key.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from loadprofiles.client.lenient_json import NotJsonError, decode_json
from reports.shared.plain_text import printable_line
from reports.shared.secrets import masked

__all__ = ["MAX_TEXT_CHARS", "body_text", "compression", "encoded_text", "error_text", "excerpt", "one_line"]

MAX_TEXT_CHARS = 200

_MAX_BODY_BYTES = 4 * 1024 * 1024
_MAX_TEXT_BYTES = 16 * 1024
"""As much is read of a page, or of plain text."""
_MESSAGE_KEYS = (
    *("message", "msg", "detail", "error_description", "error_message", "error_msg", "errmsg", "faultstring", "title"),
    *("error", "errors", "fault", "reason", "description"),
)
_KIND_KEYS = ("code", "type", "status")
_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_NO_COMPRESSION = frozenset({"", "identity", "none", "utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1"})
"""What servers write into Content-Encoding without compressing: also the name of a character set."""
_ZLIB = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""Window bits of the encodings that Python can decode."""
_VAGUE_KINDS = frozenset({"", "error", "none", "null", "invalid_request_error"})
_MAX_DEPTH = 6

_NO_TEXT = re.compile(r"<(script|style|head)\b.*?</\1\s*>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,2000}>")


def body_text(body: bytes, secrets: Iterable[str] = ()) -> str:
    """What the body of an error response says; "" if nothing. JSON of any shape, HTML, plain text or binary data.

    `secrets`: texts that are masked wherever they occur.
    """
    body = _in_utf_8(body[:_MAX_BODY_BYTES])
    try:
        error = decode_json(body)
        found = error_text(error) or (body.decode("utf-8", "replace") if error else "")
    except NotJsonError:
        text = _event_text(body[:_MAX_TEXT_BYTES]) or body[:_MAX_TEXT_BYTES].decode("utf-8", "replace")
        found = _html_text(text) if "<" in text[:200] and ">" in text else text
        if _is_binary(body):
            found = f"{len(body)} bytes of binary data"
    return one_line(found, secrets)


def compression(content_encoding: str | None) -> str:
    """The compression that a Content-Encoding header names, "" for none. Names of no compression are left out."""
    names = [name.strip().lower() for name in (content_encoding or "").split(",")]
    return ", ".join(name for name in names if name not in _NO_COMPRESSION)


def encoded_text(body: bytes, encoding: str, secrets: Iterable[str] = ()) -> str:
    """Like `body_text`, for a body with this Content-Encoding."""
    if encoding in ("", "identity"):
        return body_text(body, secrets)
    if encoding not in _ZLIB:
        return one_line(f"{len(body)} bytes compressed with {encoding}", secrets)
    try:
        decoded = zlib.decompressobj(_ZLIB[encoding]).decompress(body, _MAX_BODY_BYTES)
    except zlib.error:
        return one_line(f"{len(body)} bytes that are not {encoding}", secrets)
    return body_text(decoded, secrets)


def error_text(error: object) -> str:
    """What a decoded error object says: its message, with its code or type in brackets if that adds something."""
    return _said(error, 0)


def excerpt(data: bytes, limit: int = 60) -> str:
    """The beginning of data that could not be read, for a message."""
    text = one_line(data[: 4 * limit].decode("utf-8", "replace"), limit=limit)
    return f"{text!r}"


def one_line(text: str, secrets: Iterable[str] = (), limit: int = MAX_TEXT_CHARS) -> str:
    """The text with masked keys, without line breaks and control characters, cut to `limit` characters."""
    text = printable_line(masked(text[:_MAX_TEXT_BYTES], secrets))
    return text if len(text) <= limit else text[: limit - 3].rstrip() + "..."


def _said(error: object, depth: int) -> str:
    if isinstance(error, str):
        return error
    if isinstance(error, list):
        return "; ".join(filter(None, (_said(item, depth + 1) for item in error[:5]))) if depth < _MAX_DEPTH else ""
    if not isinstance(error, Mapping) or depth >= _MAX_DEPTH:
        return "" if error is None or isinstance(error, (bool, Mapping)) else str(error)
    error = {key.lower() if isinstance(key, str) else key: value for key, value in error.items()}
    text = next((said for key in _MESSAGE_KEYS if (said := _said(error.get(key), depth + 1))), "")
    place = error.get("loc")
    if text and isinstance(place, list):
        text = f"{'.'.join(map(str, place))}: {text}"
    kind = _kind(error)
    if text and kind and kind.lower() not in text.lower():
        return f"{text} ({kind})"
    return text or kind


def _kind(error: Mapping[Any, Any]) -> str:
    """The most telling of the object's code and type: text before a number, which is mostly the status again."""
    if "loc" in error:
        return ""
    texts = [error[key] for key in _KIND_KEYS if isinstance(error.get(key), str)]
    return next((text for text in texts if text.lower() not in _VAGUE_KINDS), "")


def _in_utf_8(body: bytes) -> bytes:
    """The body in UTF-8 and without a byte order mark, if it begins with one, or looks like JSON in UTF-16."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return body.decode(encoding, "replace").removeprefix("\ufeff").encode("utf-8", "replace")
    if body[1:2] == b"\x00" and body[3:4] == b"\x00":
        return body.decode("utf-16-le", "replace").encode("utf-8", "replace")
    return body


def _event_text(body: bytes) -> str:
    """What the first server-sent event with an error says; "" if the body is no event stream."""
    for line in body.splitlines():
        if line.startswith(b"data:"):
            try:
                return error_text(decode_json(line[5:]))
            except NotJsonError:
                return ""
    return ""


def _html_text(text: str) -> str:
    title = _TITLE.search(text)
    shown = _TAG.sub(" ", _NO_TEXT.sub(" ", text))
    head = title[1].strip() if title else ""
    body = " ".join(shown.split())
    return f"{head}: {body}" if head and body and head not in body else head or body


def _is_binary(body: bytes) -> bool:
    sample = body[:512].decode("utf-8", "replace")
    strange = sum(1 for char in sample if char == "\ufffd" or (ord(char) < 32 and char not in "\t\r\n"))
    return strange * 10 > len(sample)
