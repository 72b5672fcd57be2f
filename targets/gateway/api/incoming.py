"""The fields of a request's body that the gateway needs; the messages stay unparsed.

Bodies have 70 to 600 KB and arrive dozens per second: each is decoded once, with the conversation as raw JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from reports.shared.tokens import TOKEN_CHARS, Marker, find_marker
from targets.bodies import BodyError

__all__ = ["Body", "affinity_key", "decode", "error_in", "is_json", "marker_of", "prompt_tokens", "with_lower_limits"]

_EMPTY = msgspec.Raw(b"")
_MAX_KEY = 256  # characters; the keys of up to 100,000 sessions are kept


class _Metadata(msgspec.Struct):
    user_id: Any = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class Body(msgspec.Struct):
    """The fields of both APIs that decide something here."""

    model: Any = None
    stream: bool | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    user: Any = None
    metadata: _Metadata | None = None
    stream_options: _StreamOptions | None = None
    messages: msgspec.Raw = _EMPTY


_decoder = msgspec.json.Decoder(Body)


def decode(raw: bytes) -> Body:
    """Decodes a body. Raises `BodyError` if it is not a request of either API."""
    try:
        return _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BodyError(f"the body is not a request of this API: {error}") from None


class _Answer(msgspec.Struct):
    error: Any = None


def error_in(body: bytes) -> str | None:
    """Returns the error message in the body of a response with a success status; None: no error."""
    if b'"error"' not in body:
        return None
    try:
        error = msgspec.json.decode(body, type=_Answer).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if error is None:
        return None
    return str(error.get("message") or error) if isinstance(error, dict) else str(error)


def is_json(body: bytes) -> bool:
    """Whether `body` is one complete JSON value."""
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def marker_of(raw: bytes) -> Marker | None:
    """Returns the last marker in the body. Assistant messages contain none, so no parsing is needed."""
    end = len(raw)
    while True:
        at = raw.rfind(b"[session ", 0, end)
        if at < 0:
            return None
        found = find_marker(raw[at : at + 400].decode("latin-1"))
        if found is not None:
            return found
        end = at + 8


def affinity_key(headers: Mapping[str, str], body: Body, raw: bytes) -> str:
    """Returns the session key for affinity: the header, else the user in the body, else the marker's session, else a
    hash of the beginning of the conversation."""
    for named in (headers.get("x-session-affinity"), body.user, body.metadata and body.metadata.user_id):
        if named:
            name = str(named)
            return name if len(name) <= _MAX_KEY else _digest(name.encode(errors="surrogatepass"))
    marker = marker_of(raw)
    if marker is not None:
        return marker.session
    start = bytes(body.messages)[:4096]
    return _digest(start) if start else ""


def _digest(text: bytes) -> str:
    return "text:" + blake2b(text, digest_size=12).hexdigest()


def prompt_tokens(raw: bytes) -> int:
    """Upper bound of the prompt tokens: the whole body counts, at 4 characters per token."""
    return len(raw) // TOKEN_CHARS


def with_lower_limits(raw: bytes, max_tokens: int | None, model: str) -> bytes:
    """Returns the body with `max_tokens` in place of each limit it has, and with `model` (None and "": unchanged)."""
    fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    for name in ("max_tokens", "max_completion_tokens"):
        if max_tokens is not None and name in fields:
            fields[name] = msgspec.Raw(b"%d" % max_tokens)
    if model:
        fields["model"] = msgspec.Raw(msgspec.json.encode(model))
    return msgspec.json.encode(fields)
