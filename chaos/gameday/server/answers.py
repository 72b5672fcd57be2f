"""Answers of the server: every one, refusals included, has the headers that protect the pages in a browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from aiohttp import web

__all__ = ["EVENT_STREAM", "REVIEW_POLICY", "body", "data", "encode", "failed", "protect", "static"]

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
REVIEW_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Of the post-mortem, which is one file with its style in it: no script runs there."""

EVENT_STREAM: Final = "text/event-stream"
_HEADERS: Final = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
    "Server": "brownout",
}
_ERROR_CHARACTERS: Final = 500


def protect(response: web.StreamResponse) -> None:
    """Add the headers that the response does not have yet."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)


def encode(document: object) -> bytes:
    """JSON. Characters that UTF-8 does not have are replaced."""
    try:
        return msgspec.json.encode(document)
    except UnicodeEncodeError:
        return msgspec.json.encode(_encodable(document))


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {_encodable(key): _encodable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(inner) for inner in value]
    return value


def body(status: int, content: bytes, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer with an encoded JSON document."""
    response = web.Response(status=status, body=content, content_type="application/json", headers=headers)
    protect(response)
    return response


def data(document: object) -> web.Response:
    """200, with a JSON document."""
    return body(200, encode(document))


def failed(status: int, why: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """A refusal: `{"ok": false, "error": why}`, shortened."""
    text = why if len(why) <= _ERROR_CHARACTERS else why[:_ERROR_CHARACTERS] + "..."
    return body(status, encode({"ok": False, "error": text}), headers)


def static(content: bytes, content_type: str, headers: Mapping[str, str]) -> web.Response:
    """A file, the same for everybody. `content_type` with its charset."""
    response = web.Response(body=content, headers={"Content-Type": content_type, **headers})
    protect(response)
    return response
