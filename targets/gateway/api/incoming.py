"""What the gateway needs to know of a request's body: a few fields, the messages unparsed.

Bodies are 70 to 600 KB, dozens a second: they are decoded once into these structs, with the conversation as raw JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from reports.shared.tokens import TOKEN_CHARS, Marker, find_marker
from targets.bodies import BodyError

__all__ = ["Body", "affinity_key", "decode", "error_in", "is_json", "lessened", "marker_of", "prompt_tokens"]

_EMPTY = msgspec.Raw(b"")
_LONGEST_KEY = 256  # characters; the keys of up to 100,000 sessions are kept


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
    """Raises `BodyError` when it is not such a body."""
    try:
        return _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BodyError(f"the body is not a request of this API: {error}") from None


class _Answer(msgspec.Struct):
    error: Any = None


def error_in(body: bytes) -> str | None:
    """What went wrong by the word of an answer whose status is good; None: nothing."""
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
    """Whether a whole JSON value stands there."""
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def marker_of(raw: bytes) -> Marker | None:
    """The last marker in the body: an assistant's text contains none, so no parsing is needed."""
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
    """Who the request belongs to: a header, else the user named in the body, else the marker's session, else a hash of
    the conversation's beginning."""
    for named in (headers.get("x-session-affinity"), body.user, body.metadata and body.metadata.user_id):
        if named:
            name = str(named)
            return name if len(name) <= _LONGEST_KEY else _digest(name.encode(errors="surrogatepass"))
    marker = marker_of(raw)
    if marker is not None:
        return marker.session
    start = bytes(body.messages)[:4096]
    return _digest(start) if start else ""


def _digest(text: bytes) -> str:
    return "text:" + blake2b(text, digest_size=12).hexdigest()


def prompt_tokens(raw: bytes) -> int:
    """An upper bound by the rule of thumb: the whole body counts."""
    return len(raw) // TOKEN_CHARS


def lessened(raw: bytes, max_tokens: int | None, model: str) -> bytes:
    """The body with a lower limit under the names that it has one under, and another model (None, "": as it is)."""
    fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    for name in ("max_tokens", "max_completion_tokens"):
        if max_tokens is not None and name in fields:
            fields[name] = msgspec.Raw(b"%d" % max_tokens)
    if model:
        fields["model"] = msgspec.Raw(msgspec.json.encode(model))
    return msgspec.json.encode(fields)
