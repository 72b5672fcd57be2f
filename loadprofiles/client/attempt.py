"""One HTTP attempt: connects, sends, reads the answer, determines the outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from loadprofiles.client.clock import now_s
from loadprofiles.client.connection import BrokenMessageError, Connection, ConnectionClosedError, Connections
from loadprofiles.client.judge import DEGRADED_HEADER, Judgement, Provability, expected_after_degradation, judge
from loadprofiles.client.stream import Answer, StreamReader, read_complete_body
from loadprofiles.client.wire import Wire
from reports.shared.attributes import Outcome

__all__ = ["Attempt", "Request", "Sender"]

MAX_WHOLE_BODY_BYTES = 64 * 1024 * 1024
"""Reading stops after this many bytes of an answer, streamed or not; the outcome is then `corrupt`."""


@dataclass(slots=True)
class Attempt:
    """The result of an attempt. Times are seconds on `clock.now_s`.

    `transport`: the connection failed, the HTTP message was broken or incomplete, or a timeout expired. `answer` and
    `judgement` are set for a 2xx status, `headers` for status 300 and above (for the retry policy). `degraded`: the
    value of the answer's `X-Brownout-Degraded` header.
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
    """One HTTP request. `expected`: the token stream that the answer must contain. `timeout_s`: replaces the sender's
    timeout for this attempt."""

    content: bytes
    stream: bool
    expected: str
    timeout_s: float | None = None


class Sender:
    """Makes attempts. `timeout_s` bounds the whole attempt, `idle_s` the silence after the response headers."""

    def __init__(
        self, connections: Connections, wire: Wire, provability: Provability, timeout_s: float, idle_s: float | None
    ) -> None:
        self._connections = connections
        self._wire = wire
        self._provability = provability
        self._timeout_s = timeout_s
        self._idle_s = timeout_s if idle_s is None else idle_s

    def run(self, request: Request, attempt: Attempt, on_bytes: Callable[[float], None]) -> None:
        """Makes one attempt and fills in `attempt`. Calls `on_bytes` with the time whenever bytes arrive.

        Nothing that the target does raises an exception. If the greenlet is killed, the attempt is `abandoned` and its
        connection closed.
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
        """Why reading stopped before the message was complete. The final outcome is determined below."""
        try:
            connection.send(request.content, max(deadline_s - now_s(), 0.001))
        except TimeoutError:
            attempt.outcome, attempt.transport = Outcome.TIMEOUT, True
            return
        except OSError:
            pass  # The server may have responded and closed before it read all of a long body.
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
            except (ConnectionClosedError, OSError):
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
                if reader.stopped:
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
            answer = read_complete_body(self._wire, b"".join(body), at_s)
        else:
            answer = Answer()
        if stop is Outcome.CORRUPT:
            answer.corrupt = answer.corrupt or f"not an HTTP message, or longer than {MAX_WHOLE_BODY_BYTES} bytes"
        attempt.answer = answer
        attempt.degraded = connection.header(DEGRADED_HEADER)
        attempt.judgement = judge(
            answer,
            expected_after_degradation(request.expected, attempt.degraded),
            self._provability,
            message_complete=complete,
            stalled=stop is Outcome.STALLED,
        )
        if stop is not Outcome.TIMEOUT:
            attempt.outcome = attempt.judgement.outcome
