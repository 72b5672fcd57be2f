"""One answer on its way to the client: what may be sent now, and what faults do to it.

Bytes go straight to the transport: sending a token costs a concatenation and a write, and wakes no task. The head of
the response is sent with the first token, so that a client can retry any failure before it. A behaviour (see
`behaviours/`) sets a trigger, in tokens sent, and acts on the stream there.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Final, Literal, Protocol, assert_never

from aiohttp import web

from reports.shared.attributes import Outcome
from targets.replica.api.api import Renderer
from targets.replica.delivery.job import Job
from targets.replica.delivery.pacing import TokenPace, TrickleWriter
from targets.replica.delivery.response import Framing, reset_connection

__all__ = ["CORRUPTIONS", "Corruption", "CutMode", "OutgoingStream", "TokenTrigger"]

CutMode = Literal["fin", "rst", "clean"]
Corruption = Literal["data", "line"]


class TokenTrigger(Protocol):
    """Fires once when a stream has sent `after_tokens` tokens and would send more, or end."""

    @property
    def after_tokens(self) -> int:
        """Tokens that are still sent before it fires."""

    @property
    def fault_id(self) -> str:
        """The fault that set it."""

    def fire(self, stream: OutgoingStream) -> None:
        """Act on the stream: hold it, cut it, or let it continue."""


def _with_invalid_json(event: bytes) -> bytes:
    before, field, data = event.rpartition(b"data: ")
    return before + field + data.replace(b'"', b"", 1)  # a quote is missing; the braces at both ends are still there


def _without_field_name(event: bytes) -> bytes:
    before, _, data = event.rpartition(b"data: ")
    return before + b"\xef\xbf\xbd" + data


CORRUPTIONS: Final[dict[Corruption, Callable[[bytes], bytes]]] = {
    "data": _with_invalid_json,
    "line": _without_field_name,
}
"""The corruptions of an event: its data is not valid JSON, or its line has no field name."""


class OutgoingStream:
    """One answer on its way. `done` is resolved when all is written, or when a behaviour has ended the stream."""

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
        self.sent = 0  # tokens
        self.outcome: Outcome | None = None  # set by a behaviour that ends the stream
        self.done: asyncio.Future[None] = loop.create_future()
        self.streaming = streaming
        """Whether the answer is sent as events."""
        self.headers_sent = False
        """Whether the head of the response has been sent."""
        self._job: Job | None = None
        self._request = request
        self._renderer = renderer
        self._offset = offset
        self._loop = loop
        self._clock = clock
        self._framing = Framing(request, streaming)
        self._triggers: list[TokenTrigger] = []
        self._holds: set[str] = set()
        self._releases: dict[str, asyncio.TimerHandle] = {}
        self._draining: asyncio.Task[None] | None = None
        self._paces: dict[str, TokenPace] = {}
        self._pace_timer: asyncio.TimerHandle | None = None
        self._trickles: dict[str, TrickleWriter] = {}  # only the last one is in use
        self._slow_headers: tuple[str, float] | None = None  # fault id, and seconds
        self._corruption: Corruption | None = None  # of the next token's event

    def bind(self, job: Job) -> None:
        """Set the job whose tokens are sent."""
        self._job = job

    @property
    def reusable(self) -> bool:
        """Whether the connection can serve another request after this one."""
        return self._framing.reusable

    @property
    def total(self) -> int:
        """Tokens of the complete answer."""
        return self._job.request.output_tokens if self._job is not None else 0

    def add_trigger(self, trigger: TokenTrigger) -> None:
        """Add a trigger. If the stream has already passed it, it fires at the next `flush`."""
        self._triggers.append(trigger)
        self._triggers.sort(key=lambda each: each.after_tokens)

    def release(self, fault_id: str, *, flush: bool = True) -> None:
        """A behaviour has ended: remove its trigger and its effects. Held tokens are sent at once, or, without `flush`,
        at the next `flush`."""
        self._triggers = [trigger for trigger in self._triggers if trigger.fault_id != fault_id]
        release = self._releases.pop(fault_id, None)
        if release is not None:
            release.cancel()
        held = fault_id in self._holds or self._paces.pop(fault_id, None) is not None
        self._holds.discard(fault_id)
        if self._slow_headers is not None and self._slow_headers[0] == fault_id:
            self._slow_headers = None
        trickle = self._trickles.pop(fault_id, None)
        if trickle is not None:
            trickle.flush()
        if held and flush:
            self.flush()

    def hold(self, fault_id: str) -> None:
        """Send nothing more until `release(fault_id)`, or the time of `release_later`."""
        self._holds.add(fault_id)

    def release_later(self, fault_id: str, delay_s: float) -> None:
        """Release a hold after `delay_s` seconds."""
        self._releases[fault_id] = self._loop.call_later(delay_s, self.release, fault_id)

    def slow_tokens(self, fault_id: str, *, factor: float = 1.0, gap_s: float = 0.0) -> None:
        """From here on, send tokens later than they are produced, until `release(fault_id)`. See `TokenPace`."""
        self._paces[fault_id] = TokenPace(self._clock(), self.sent, factor=factor, gap_s=gap_s)

    def trickle(self, fault_id: str, size: int, every_s: float) -> None:
        """From here on, write `size` bytes every `every_s` seconds, until `release(fault_id)`."""
        transport = self._request.transport
        if transport is not None:
            for trickle in self._trickles.values():
                trickle.flush()
            self._trickles[fault_id] = TrickleWriter(transport.write, self._loop.call_later, size, every_s)

    def slow_headers(self, fault_id: str, over_s: float) -> None:
        """Spread the head of the response over `over_s` seconds. No effect if it has been sent."""
        self._slow_headers = (fault_id, over_s)

    def replace_rest(self, tokens: str) -> None:
        """From here on, the answer consists of `tokens` (4 characters each), with unchanged length."""
        self._renderer.replace_tokens(self._offset + self.sent, tokens)

    def repeat_last_token(self) -> None:
        """Send the last token once more."""
        if self.sent:
            event = self._renderer.events(self._offset + self.sent - 1, self._offset + self.sent)
            self._write(self._framing.chunk(event))

    def corrupt_next_event(self, how: Corruption) -> None:
        """Corrupt the event of the next token. An answer that is not streamed loses half of its body instead."""
        self._corruption = how

    def end_with_error(self, message: str) -> None:
        """Send an error in place of the rest of the answer, and end the response properly."""
        transport = self._request.transport
        if self.done.done():
            return
        self.outcome = Outcome.ERROR_EVENT
        if transport is None:
            self.done.set_result(None)
        elif self.streaming:
            self._send_head(self._write)
            self._write(self._framing.chunk(self._renderer.error(message), last=True), self._finish)
        else:
            self._send_body(self._renderer.error(message))

    def cut(self, how: CutMode) -> None:
        """End the stream early: FIN or RST in the middle of the body, or a proper end of the body without a terminal
        event."""
        if self.done.done():
            return
        self.outcome = Outcome.TRUNCATED
        for trickle in self._trickles.values():
            trickle.flush()
        transport = self._request.transport
        self._finish()  # a trickle that was just flushed may have finished it already
        if transport is None:
            return
        if how == "clean" or self.streaming:
            self._send_head(transport.write)
        match how:
            case "clean":
                if self._framing.end:
                    transport.write(self._framing.end)
            case "fin":
                transport.close()  # buffered bytes are sent first
            case "rst":
                reset_connection(transport, self._loop)
            case _:
                assert_never(how)

    def flush(self) -> None:
        """Write the produced tokens, as far as holds, triggers and the socket allow."""
        job = self._job
        if job is None or self._holds or self.done.done():
            return
        protocol = self._request.protocol
        if protocol.transport is None:
            return  # the client has disconnected; the handler is about to be cancelled
        if protocol.writing_paused:
            if self._draining is None:
                self._draining = self._loop.create_task(self._flush_when_drained())
            return
        while True:
            ready = self._sendable_tokens(job)
            finished = job.finished_at is not None and ready == job.produced
            if not self._triggers:
                break
            trigger = self._triggers[0]
            if ready <= trigger.after_tokens and not (finished and ready == trigger.after_tokens):
                break
            self._triggers.pop(0)
            self._send(max(self.sent, min(trigger.after_tokens, ready)))
            trigger.fire(self)
            if self._holds or self.done.done():
                return
        self._send(ready, last=finished)

    def _sendable_tokens(self, job: Job) -> int:
        """Returns how many tokens may be sent by now. If some have to wait, sets a timer for the next `flush`."""
        if not self._paces:
            return job.produced
        now = self._clock()
        ready, again_at = job.produced, math.inf
        for pace in self._paces.values():
            pace.add_produced(job.produced, max(job.last_at, 0.0))
            ready = min(ready, pace.allowed(now))
            again_at = min(again_at, pace.next_at(now))
        if ready < job.produced and self._pace_timer is None:
            self._pace_timer = self._loop.call_later(max(0.0, again_at - now) + 0.0003, self._on_pace_timer)
        return max(ready, self.sent)

    def _on_pace_timer(self) -> None:
        self._pace_timer = None
        self.flush()

    def _send(self, upto: int, *, last: bool = False) -> None:
        """Send tokens up to `upto`; with `last`, end the answer."""
        job = self._job
        if self._request.transport is None or job is None:
            return
        if not self.streaming:
            self.sent = max(self.sent, upto)
            if last:
                body = self._renderer.body(job)
                self._send_body(body[: len(body) // 2] if self._corruption else body)
            return
        data = b""
        if upto > self.sent:
            data = self._events(self._offset + self.sent, self._offset + upto)
            self.sent = upto
        if last:
            data += self._renderer.tail(job)
        if data:
            head = b""
            if not self.headers_sent:
                self.headers_sent = True
                head = self._framing.head()
                data = self._renderer.head(job) + data
            if head and self._slow_headers is not None:
                self._write_slowly(head)
                head = b""
            self._write(self._framing.chunk(data, head=head, last=last), self._finish if last else None)
        elif last:
            self._finish()

    def _events(self, start: int, stop: int) -> bytes:
        how = self._corruption
        if how is None:
            return self._renderer.events(start, stop)
        self._corruption = None
        rest = self._renderer.events(start + 1, stop) if stop > start + 1 else b""
        return CORRUPTIONS[how](self._renderer.events(start, start + 1)) + rest

    def _write(self, data: bytes, on_written: Callable[[], None] | None = None) -> None:
        """Write to the transport at once, or through the trickle of a behaviour. Calls `on_written` afterwards."""
        transport = self._request.transport
        if self._trickles:
            next(reversed(self._trickles.values())).write(data, on_written)
            return
        if transport is not None:
            transport.write(data)
        if on_written is not None:
            on_written()

    def _write_slowly(self, head: bytes) -> None:
        assert self._slow_headers is not None
        fault_id, over_s = self._slow_headers
        size = max(1, len(head) // 40)
        self.trickle(fault_id, size, over_s / max(1, math.ceil(len(head) / size) - 1))
        # the body is not slowed: it is written with the last bytes of the head
        self._trickles[fault_id].write(head, lambda: self.release(fault_id, flush=False))

    def _send_body(self, body: bytes) -> None:
        """Send the whole response of an answer that is not streamed."""
        self.headers_sent = True
        head = self._framing.head_with_length(len(body))
        if self._slow_headers is not None:
            self._write_slowly(head)
            head = b""
        self._write(head + body, self._finish)

    def _send_head(self, write: Callable[[bytes], None]) -> None:
        """Send the head of a response that is cut or fails before its first token."""
        if not self.headers_sent:
            self.headers_sent = True
            write(self._framing.head())

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)

    async def _flush_when_drained(self) -> None:
        """The socket's buffer is full: flush again after the client has read."""
        try:
            await self._request.writer.drain()
        except ConnectionError:
            return
        finally:
            self._draining = None
        self.flush()
