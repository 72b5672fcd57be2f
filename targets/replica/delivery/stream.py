"""One answer on its way to the client: what may be sent now, and how it gets onto the socket.

Bytes go straight to the transport: a token's chunk costs a concatenation and a write, and nobody is woken for it. The
head of the response goes out with the first token, so that all failures before it can be retried by a client. A
behaviour (see `behaviours/`) waits for a stream at a point, given in tokens sent, and does something to it there.
"""

from __future__ import annotations

import asyncio
import math
import socket
import struct
import time
from collections.abc import Callable
from typing import Final, Literal, Protocol

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

from reports.shared.attributes import Outcome
from targets.replica.api.api import Renderer
from targets.replica.delivery.driver import Job
from targets.replica.delivery.pacing import Dribble, Pace

__all__ = ["AnswerStream", "Cut", "Point", "SentResponse"]

Cut = Literal["fin", "rst", "clean"]

_JSON_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_EVENTS_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
)
_RST: Final = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close() sends a reset
_ABORT_TRIES: Final = 50


class Point(Protocol):
    """Something that waits for a stream to have sent `after_tokens` tokens."""

    @property
    def after_tokens(self) -> int:
        """Tokens that still go out; the next thing to be sent after them is what is met."""

    @property
    def fault_id(self) -> str:
        """Whose point it is."""

    def reached(self, stream: AnswerStream) -> None:
        """The stream is there: hold it, cut it, or let it go on. Called once a stream."""


class SentResponse(web.StreamResponse):
    """Tells aiohttp that the response is on its way already, and whether the connection can serve another."""

    def __init__(self, keep_alive: bool) -> None:
        super().__init__()
        self._reuse = keep_alive

    @property
    def keep_alive(self) -> bool:
        """Whether another request may follow on the connection."""
        return self._reuse

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Nothing is left to do."""
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to do."""


class AnswerStream:
    """The way of one answer. `done` is resolved when all is written, or when a behaviour has ended it."""

    def __init__(
        self,
        request: web.BaseRequest,
        renderer: Renderer,
        *,
        offset: int,
        streaming: bool,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.key = ""
        self.sent = 0
        self.outcome: Outcome | None = None  # set by a behaviour that ends the stream
        self.done: asyncio.Future[None] = loop.create_future()
        self._job: Job | None = None
        self._request = request
        self._renderer = renderer
        self._offset = offset
        self._streaming = streaming
        self._loop = loop
        self._clock = clock
        self._chunked = request.version >= HttpVersion11
        self._headers_sent = False
        self._points: list[Point] = []
        self._holds: set[str] = set()
        self._releases: dict[str, asyncio.TimerHandle] = {}
        self._draining: asyncio.Task[None] | None = None
        self._paces: dict[str, Pace] = {}
        self._pace_timer: asyncio.TimerHandle | None = None
        self._dribbles: dict[str, Dribble] = {}  # one at most is in use: the last
        self._slow_head: tuple[str, float] | None = None  # whose, and seconds
        self._broken: Literal["", "data", "line"] = ""  # what the next token's event is

    def bind(self, job: Job) -> None:
        """The job that this is the sink of."""
        self._job = job

    @property
    def headers_sent(self) -> bool:
        """Whether the client has seen anything of the answer."""
        return self._headers_sent

    @property
    def reusable(self) -> bool:
        """Whether the connection can serve another request after this one."""
        return self._request.keep_alive and (self._chunked or not self._streaming)

    @property
    def streaming(self) -> bool:
        """Whether the answer is sent as events."""
        return self._streaming

    @property
    def total(self) -> int:
        """Tokens that this answer will have sent at its end."""
        return self._job.request.output_tokens if self._job is not None else 0

    def add_point(self, point: Point) -> None:
        """Wait for the stream at a point. One that it is past already is met with the next `flush`."""
        self._points.append(point)
        self._points.sort(key=lambda each: each.after_tokens)

    def forget(self, fault_id: str, *, flush: bool = True) -> None:
        """A behaviour is over: its point is gone, and what it held goes on (with the next `flush`)."""
        self._points = [point for point in self._points if point.fault_id != fault_id]
        release = self._releases.pop(fault_id, None)
        if release is not None:
            release.cancel()
        held = fault_id in self._holds or self._paces.pop(fault_id, None) is not None
        self._holds.discard(fault_id)
        if self._slow_head is not None and self._slow_head[0] == fault_id:
            self._slow_head = None
        dribble = self._dribbles.pop(fault_id, None)
        if dribble is not None:
            dribble.release()
        if held and flush:
            self.flush()

    def hold(self, fault_id: str) -> None:
        """Send nothing more until `forget(fault_id)`, or `release_later`'s time."""
        self._holds.add(fault_id)

    def release_later(self, fault_id: str, delay_s: float) -> None:
        """Let go of a hold after a time."""
        self._releases[fault_id] = self._loop.call_later(delay_s, self.forget, fault_id)

    def pace(self, fault_id: str, *, factor: float = 1.0, gap_s: float = 0.0) -> None:
        """From here on tokens go out at a pace of their own, until `forget(fault_id)`. See `Pace`."""
        self._paces[fault_id] = Pace(self._clock(), self.sent, factor=factor, gap_s=gap_s)

    def dribble(self, fault_id: str, size: int, every_s: float) -> None:
        """From here on bytes go out `size` at a time, until `forget(fault_id)`."""
        transport = self._request.transport
        if transport is not None:
            for dribble in self._dribbles.values():
                dribble.release()
            self._dribbles[fault_id] = Dribble(transport.write, self._loop.call_later, size, every_s)

    def slow_head(self, fault_id: str, over_s: float) -> None:
        """The head of the response, if it is still to come, takes so long, a few bytes at a time."""
        self._slow_head = (fault_id, over_s)

    def spoil(self, tokens: str) -> None:
        """From here on the answer says `tokens` (4 characters each, as many as are left)."""
        self._renderer.spoil(self._offset + self.sent, tokens)

    def repeat(self) -> None:
        """The last token is sent once more."""
        if self.sent:
            self._put(self._framed(self._renderer.events(self._offset + self.sent - 1, self._offset + self.sent)))

    def break_next(self, how: Literal["data", "line"]) -> None:
        """The next token's event is broken: its data are no JSON, or its line has no field name. Of an answer that is
        not streamed the body is."""
        self._broken = how

    def end_with_error(self, message: str) -> None:
        """An error in the answer's place, or in the rest of its; the response ends properly."""
        transport = self._request.transport
        if self.done.done():
            return
        self.outcome = Outcome.ERROR_EVENT
        if transport is None:
            self.done.set_result(None)
        elif self._streaming:
            self._open(self._put)
            data = self._framed(self._renderer.error(message))
            self._put(data + (b"0\r\n\r\n" if self._chunked else b""), self._finish)
        else:
            self._whole(self._renderer.error(message))

    def flush(self) -> None:
        """Write what has been produced, as far as holds, points and the socket allow."""
        job = self._job
        if job is None or self._holds or self.done.done():
            return
        protocol = self._request.protocol
        if protocol.transport is None:
            return  # the client has left; the handler is about to be told
        if protocol.writing_paused:
            if self._draining is None:
                self._draining = self._loop.create_task(self._drained())
            return
        while True:
            ready = self._ready(job)
            finished = job.finished_at is not None and ready == job.produced
            if not self._points:
                break
            point = self._points[0]
            if ready <= point.after_tokens and not (finished and ready == point.after_tokens):
                break
            self._points.pop(0)
            self._send(max(self.sent, min(point.after_tokens, ready)))
            point.reached(self)
            if self._holds or self.done.done():
                return
        self._send(ready, last=finished)

    def _ready(self, job: Job) -> int:
        """Tokens that may be out now. Where some have to wait for their time, `flush` comes again then."""
        if not self._paces:
            return job.produced
        now = self._clock()
        ready, again_at = job.produced, math.inf
        for pace in self._paces.values():
            pace.made(job.produced, max(job.last_at, 0.0))
            ready = min(ready, pace.allowed(now))
            again_at = min(again_at, pace.next_at(now))
        if ready < job.produced and self._pace_timer is None:
            self._pace_timer = self._loop.call_later(max(0.0, again_at - now) + 0.0003, self._paced)
        return max(ready, self.sent)

    def _paced(self) -> None:
        self._pace_timer = None
        self.flush()

    def cut(self, how: Cut) -> None:
        """End the stream before its time: FIN or RST in the middle of the body, or a clean end of the body with no
        terminal event."""
        if self.done.done():
            return
        self.outcome = Outcome.TRUNCATED
        for dribble in self._dribbles.values():
            dribble.release()
        transport = self._request.transport
        if transport is None:
            self.done.set_result(None)
            return
        if how == "clean" or self._streaming:
            self._open(transport.write)
        if how == "clean":
            if self._chunked:
                transport.write(b"0\r\n\r\n")
            self.done.set_result(None)
            return
        self.done.set_result(None)
        if how == "fin":
            transport.close()  # what is buffered goes out first
        else:
            self._reset(transport, _ABORT_TRIES)

    def _reset(self, transport: asyncio.Transport, tries: int) -> None:
        """Abort once the tokens before the cut have left the process: abort() would throw them away."""
        if transport.is_closing():
            return
        if tries and transport.get_write_buffer_size():
            self._loop.call_later(0.001, self._reset, transport, tries - 1)
            return
        found: socket.socket | None = transport.get_extra_info("socket")
        if found is not None:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
        transport.abort()

    def _send(self, upto: int, *, last: bool = False) -> None:
        job = self._job
        if self._request.transport is None or job is None:
            return
        if not self._streaming:
            self.sent = max(self.sent, upto)
            if last:
                body = self._renderer.body(job)
                self._whole(body[: len(body) // 2] if self._broken else body)
            return
        data = b""
        if upto > self.sent:
            data = self._events(self._offset + self.sent, self._offset + upto)
            self.sent = upto
        if last:
            data += self._renderer.tail(job)
        if data:
            head = b""
            if not self._headers_sent:
                self._headers_sent = True
                head = _EVENTS_HEAD + self._framing()
                data = self._renderer.head(job) + data
            end = b"0\r\n\r\n" if last and self._chunked else b""
            if head and self._slow_head is not None:
                self._put_head(head)
                head = b""
            self._put(
                b"%b%x\r\n%b\r\n%b" % (head, len(data), data, end) if self._chunked else head + data,
                self._finish if last else None,
            )
        elif last:
            self._finish()

    def _events(self, start: int, stop: int) -> bytes:
        if not self._broken:
            return self._renderer.events(start, stop)
        event, how = self._renderer.events(start, start + 1), self._broken
        self._broken = ""
        rest = self._renderer.events(start + 1, stop) if stop > start + 1 else b""
        before, field, data = event.rpartition(b"data: ")
        if how == "data":  # a quote is missing: still a brace at either end
            return before + field + data.replace(b'"', b"", 1) + rest
        return before + b"\xef\xbf\xbd" + data + rest

    def _put(self, data: bytes, end: Callable[[], None] | None = None) -> None:
        """Onto the wire; `end` is called when it is there. At once, but for a behaviour that makes bytes dribble."""
        transport = self._request.transport
        if self._dribbles:
            next(reversed(self._dribbles.values())).push(data, end)
            return
        if transport is not None:
            transport.write(data)
        if end is not None:
            end()

    def _put_head(self, head: bytes) -> None:
        assert self._slow_head is not None
        fault_id, over_s = self._slow_head
        size = max(1, len(head) // 40)
        self.dribble(fault_id, size, over_s / max(1, math.ceil(len(head) / size) - 1))
        # what follows the head is as fast as ever: it goes out with the head's last bytes
        self._dribbles[fault_id].push(head, lambda: self.forget(fault_id, flush=False))

    def _whole(self, body: bytes) -> None:
        """The one response of an answer that is not streamed."""
        self._headers_sent = True
        head = _JSON_HEAD + self._connection() + b"Content-Length: %d\r\n\r\n" % len(body)
        if self._slow_head is not None:
            self._put_head(head)
            head = b""
        self._put(head + body, self._finish)

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def _framed(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data

    def _open(self, write: Callable[[bytes], None]) -> None:
        """Send the head of a response that is to be cut before its first token."""
        if self._headers_sent:
            return
        self._headers_sent = True
        write((_EVENTS_HEAD if self._streaming else _JSON_HEAD) + self._framing())

    def _framing(self) -> bytes:
        return self._connection() + (b"Transfer-Encoding: chunked\r\n\r\n" if self._chunked else b"\r\n")

    def _connection(self) -> bytes:
        return b"" if self.reusable and self._chunked else b"Connection: close\r\n"

    async def _drained(self) -> None:
        """The socket is full: go on when the client has read."""
        try:
            await self._request.writer.drain()
        except ConnectionError:
            return
        finally:
            self._draining = None
        self.flush()
