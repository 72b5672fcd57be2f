"""Pieces of HTTP responses, as exact bytes."""

from __future__ import annotations

from collections.abc import Iterable

from tests.support.dialects.case import Step

__all__ = ["LAST_CHUNK", "chunk", "chunked", "head", "response"]

LAST_CHUNK = b"0\r\n\r\n"


def head(
    status: str = "200 OK",
    *headers: str,
    kind: str | None = "text/event-stream",
    version: str = "HTTP/1.1",
    length: int | None = None,
) -> bytes:
    """A status line and headers. `length`: the Content-Length; None: the caller names the framing in `headers`."""
    lines = [f"{version} {status}", *headers]
    if kind is not None:
        lines.append(f"Content-Type: {kind}")
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    """One chunk of a chunked body."""
    return b"%x%b\r\n%b\r\n" % (len(data), extension, data)


def chunked(events: Iterable[Step], *headers: str, end: bool = True, status: str = "200 OK") -> tuple[Step, ...]:
    """A chunked event stream, one chunk for each event. `end`: with the last chunk."""
    steps: list[Step] = [head(status, "Transfer-Encoding: chunked", *headers)]
    steps += [chunk(step) if isinstance(step, bytes) else step for step in events if step != b""]
    return (*steps, LAST_CHUNK) if end else tuple(steps)


def response(status: str, body: bytes = b"", *headers: str, kind: str | None = "application/json") -> tuple[Step, ...]:
    """A response with a Content-Length."""
    return (head(status, *headers, kind=kind, length=len(body)) + body,)
