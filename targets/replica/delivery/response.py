"""The HTTP framing of an answer that is written straight to the transport, past aiohttp's writer."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Final

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

__all__ = ["Framing", "SentResponse", "reset_connection"]

_JSON_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_EVENTS_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
)
_RST: Final = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close() sends a RST
_RESET_TRIES: Final = 50
_RESET_EVERY_S: Final = 0.001


class SentResponse(web.StreamResponse):
    """Tells aiohttp that the response has been sent, and whether the connection can serve another request."""

    def __init__(self, keep_alive: bool) -> None:
        super().__init__()
        self._keep_connection = keep_alive

    @property
    def keep_alive(self) -> bool:
        """Whether another request may follow on the connection."""
        return self._keep_connection

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Does nothing: the head has been sent."""
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Does nothing: the body has been sent."""


class Framing:
    """Heads and chunks of one response with status 200: a stream of events, or one JSON body."""

    def __init__(self, request: web.BaseRequest, streaming: bool) -> None:
        self._chunked = request.version >= HttpVersion11
        self._streaming = streaming
        self.reusable = request.keep_alive and (self._chunked or not streaming)
        """Whether the connection can serve another request after this response."""
        self._connection = b"" if self.reusable and self._chunked else b"Connection: close\r\n"
        self.end = b"0\r\n\r\n" if self._chunked else b""
        """The proper end of a body sent in chunks."""

    def head(self) -> bytes:
        """The head of a response whose body is sent in chunks or, by HTTP/1.0, until the connection closes."""
        head = (_EVENTS_HEAD if self._streaming else _JSON_HEAD) + self._connection
        return head + (b"Transfer-Encoding: chunked\r\n\r\n" if self._chunked else b"\r\n")

    def head_with_length(self, length: int) -> bytes:
        """The head of a JSON body of `length` bytes, sent as a whole."""
        return _JSON_HEAD + self._connection + b"Content-Length: %d\r\n\r\n" % length

    def chunk(self, data: bytes, *, head: bytes = b"", last: bool = False) -> bytes:
        """One chunk of the body, after `head`; with `last`, followed by the end of the body."""
        if not self._chunked:
            return head + data
        return b"%b%x\r\n%b\r\n%b" % (head, len(data), data, self.end if last else b"")


def reset_connection(transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, tries: int = _RESET_TRIES) -> None:
    """Reset the connection (RST) after the buffered bytes have left the process: abort() would discard them.

    Waits for them for at most `tries` milliseconds.
    """
    if transport.is_closing():
        return
    if tries and transport.get_write_buffer_size():
        loop.call_later(_RESET_EVERY_S, reset_connection, transport, loop, tries - 1)
        return
    found: socket.socket | None = transport.get_extra_info("socket")
    if found is not None:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
    transport.abort()
