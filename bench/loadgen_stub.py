"""The server of `bench.loadgen`: streams a verifiable answer to any chat completion; accepts any spans."""

from __future__ import annotations

import asyncio
import signal
import socket
from typing import cast

import uvloop

from reports.shared.tokens import find_marker, token_stream

__all__ = ["serve"]

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_EMPTY = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"
_BEFORE = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":'
)
_AFTER = b',"finish_reason":null}]}\n\n'


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


_ROLE = _framed(_BEFORE + b'{"role":"assistant","content":""}' + _AFTER)
_FINISH = _framed(_BEFORE + b'{},"finish_reason":"stop"}]}\n\n')
_USAGE = _framed(
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],'
    b'"usage":{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120}}\n\n'
)
_END = _framed(b"data: [DONE]\n\n") + b"0\r\n\r\n"


class _Stub(asyncio.Protocol):
    def __init__(self, chunks: int, gap_s: float) -> None:
        self._chunks = chunks
        self._gap_s = gap_s
        self._pending = b""
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while True:
            head, separator, rest = self._pending.partition(b"\r\n\r\n")
            if not separator:
                return
            lowered = head.lower()
            at = lowered.find(b"content-length:")
            length = int(lowered[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(rest) < length:
                return
            body, self._pending = rest[:length], rest[length:]
            if b"/v1/traces" in head[:40]:
                self._transport.write(_EMPTY)
            else:
                self._respond(body)

    def _respond(self, body: bytes) -> None:
        marker = find_marker(body[-4096:].decode("utf-8", "replace"))
        tokens = token_stream(marker.key if marker else "none", self._chunks).encode()
        pieces = [_framed(_BEFORE + b'{"content":"%b"}' % tokens[i : i + 4] + _AFTER) for i in range(0, len(tokens), 4)]
        if self._gap_s:
            task = asyncio.create_task(self._trickle(pieces))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._transport.write(_HEAD + _ROLE)
            for piece in pieces:
                self._transport.write(piece)
            self._transport.write(_FINISH + _USAGE + _END)

    async def _trickle(self, pieces: list[bytes]) -> None:
        self._transport.write(_HEAD + _ROLE)
        for piece in pieces:
            await asyncio.sleep(self._gap_s)
            self._transport.write(piece)
        self._transport.write(_FINISH + _USAGE + _END)


async def _serve(listener: socket.socket, chunks: int, gap_s: float) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    server = await loop.create_server(lambda: _Stub(chunks, gap_s), sock=listener)
    await ended.wait()
    server.close()


def serve(descriptor: int, chunks: int, gap_s: float) -> None:
    """Serve on an inherited listening socket until SIGTERM."""
    uvloop.run(_serve(socket.socket(fileno=descriptor), chunks, gap_s))
