"""One HTTP attempt: connect, send, read the answer, and say how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from loadprofiles.client.clock import now_s
from loadprofiles.client.connection import BrokenMessageError, Closed, Connection, Connections
from loadprofiles.client.judge import DEGRADED_HEADER, Judgement, Provability, judge, shortened
from loadprofiles.client.stream import Answer, StreamReader, read_whole
from loadprofiles.client.wire import Wire
from reports.shared.attributes import Outcome

__all__ = ["Attempt", "Request", "Sender"]

MAX_WHOLE_BODY_BYTES = 64 * 1024 * 1024
"""Longer answers, streamed or not, are not read to their end."""


@dataclass(slots=True)
class Attempt:
    """How an attempt went. Times are seconds on `clock.now_s`.

    `transport`: the connection or the HTTP message broke, or a timeout ran out. `answer` and `judgement`: of a 2xx.
    `headers` only of a failed attempt, for the retry policy. `degraded`: what the answer said it has less of.
    """

    started_s: float
    ended_s: float = 0.0
    outcome: Outcome = Outcome.ABANDONED
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    transport: bool = False
    answer: Answer | None = None
    judgement: Judgement | None = None
    degraded: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, and what must come back: `expected` is the answer's token stream. `timeout_s`: for this attempt, in
    place of the sender's."""

    content: bytes
    stream: bool
    expected: str
    timeout_s: float | None = None


class Sender:
    """Makes attempts. Its limits: `timeout_s` for the whole attempt, `idle_s` for silence once headers have come."""

    def __init__(
        self, connections: Connections, wire: Wire, provability: Provability, timeout_s: float, idle_s: float | None
    ) -> None:
        self._connections = connections
        self._wire = wire
        self._provability = provability
        self._timeout_s = timeout_s
        self._idle_s = timeout_s if idle_s is None else idle_s

    def run(self, request: Request, attempt: Attempt, on_bytes: Callable[[float], None]) -> None:
        """Makes one attempt and fills `attempt` in. `on_bytes` is told the time at every arrival.

        Never raises for what a target can do. Whatever else is thrown in (the greenlet is killed) leaves the attempt
        `abandoned`, with its connection closed.
        """
        connection: Connection | None = None
        try:
            try:
                connection = self._connections.acquire()
            except TimeoutError:
                attempt.outcome, attempt.transport = Outcome.TIMEOUT, True
                return
            except OSError:
                attempt.outcome, attempt.transport = Outcome.REFUSED, True
                return
            self._exchange(connection, request, attempt, on_bytes)
        finally:
            attempt.ended_s = now_s()
            if connection is not None:
                if attempt.outcome is Outcome.ABANDONED:
                    connection.close()
                else:
                    self._connections.release(connection)

    def _exchange(
        self, connection: Connection, request: Request, attempt: Attempt, on_bytes: Callable[[float], None]
    ) -> None:
        deadline_s = attempt.started_s + (self._timeout_s if request.timeout_s is None else request.timeout_s)
        reader = StreamReader(self._wire) if request.stream else None
        body: list[bytes] = []
        size = 0
        status: int | None = None
        stop: Outcome | None = None
        """Why reading stopped before the message was complete; its place in the order of outcomes comes later."""
        try:
            connection.send(request.content, max(deadline_s - now_s(), 0.001))
        except TimeoutError:
            attempt.outcome, attempt.transport = Outcome.TIMEOUT, True
            return
        except OSError:
            pass  # The server may have answered and closed before it read all of a long body.
        at_s = now_s()
        receive = connection.receive
        while True:
            left_s = deadline_s - at_s
            idle_s = self._idle_s
            limit_s = left_s if status is None or left_s < idle_s else idle_s
            if limit_s <= 0:
                stop = Outcome.TIMEOUT
                break
            try:
                data = receive(limit_s)
            except TimeoutError:
                stop = Outcome.STALLED if limit_s < left_s else Outcome.TIMEOUT
                break
            except BrokenMessageError:
                stop = Outcome.CORRUPT
                break
            except (Closed, OSError):
                stop = Outcome.RESET if status is None else Outcome.TRUNCATED
                break
            at_s = now_s()
            on_bytes(at_s)
            if status is None:
                status = connection.status
                if status is None:
                    continue
            if reader is not None and status < 300:
                reader.feed(data, at_s)
                if reader.over:
                    break
            else:
                body.append(data)
            size += len(data)
            if size > MAX_WHOLE_BODY_BYTES:
                stop = Outcome.CORRUPT
                break
            if connection.complete:
                break
        attempt.status = status
        attempt.transport = stop is not None
        if stop in (Outcome.TIMEOUT, Outcome.RESET) or status is None:
            attempt.outcome = stop or Outcome.RESET
        elif status == 429:
            attempt.outcome = Outcome.RATE_LIMITED
        elif status >= 300:
            attempt.outcome = Outcome.HTTP_5XX if status >= 500 else Outcome.HTTP_4XX
        if status is None:
            return
        if status >= 300:
            attempt.headers = connection.headers()
            return
        complete = connection.complete
        if reader is not None:
            answer = reader.finish(complete)
        elif complete:
            answer = read_whole(self._wire, b"".join(body), at_s)
        else:
            answer = Answer()
        if stop is Outcome.CORRUPT:
            answer.corrupt = answer.corrupt or "not an HTTP message, or an endless one"
        attempt.answer = answer
        attempt.degraded = connection.header(DEGRADED_HEADER)
        attempt.judgement = judge(
            answer,
            shortened(request.expected, attempt.degraded),
            self._provability,
            message_complete=complete,
            stalled=stop is Outcome.STALLED,
        )
        if stop is not Outcome.TIMEOUT:
            attempt.outcome = attempt.judgement.outcome
