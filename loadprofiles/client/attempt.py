"""One HTTP attempt: connects, sends, reads the answer, determines the outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from loadprofiles.client.answer import Answer
from loadprofiles.client.clock import now_s
from loadprofiles.client.connection import BrokenMessageError, Connection, ConnectionClosedError, Connections
from loadprofiles.client.error_text import body_text, compression, encoded_text, one_line
from loadprofiles.client.judge import DEGRADED_HEADER, Judgement, Provability, expected_after_degradation, judge
from loadprofiles.client.stream import StreamReader, read_complete_body
from loadprofiles.client.wire import Wire
from reports.shared.attributes import Outcome

__all__ = ["Attempt", "Request", "Sender"]

_ERROR_BODY_BYTES = 64 * 1024
MAX_WHOLE_BODY_BYTES = 64 * 1024 * 1024
"""Reading stops after this many bytes of an answer, streamed or not; the outcome is then `corrupt`."""


@dataclass(slots=True)
class Attempt:
    """The result of an attempt. Times are seconds on `clock.now_s`.

    `transport`: the connection failed, the HTTP message was broken or incomplete, or a timeout expired. `answer` and
    `judgement` are set for a 2xx status, `headers` for status 300 and above (for the retry policy). `degraded`: the
    value of the answer's `X-Brownout-Degraded` header. `message`: why the attempt is not ok, in the target's own words
    where it said something. `error_body`: the beginning of the body of a response with status 300 and above.
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
    message: str = ""
    error_body: bytes = b""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `expected`: the token stream that the answer must contain. `timeout_s`: replaces the sender's
    timeouts for this attempt."""

    content: bytes
    stream: bool
    expected: str
    timeout_s: float | None = None


class Sender:
    """Makes attempts.

    `timeout_s` bounds each wait for bytes, as in the HTTP client inside the vendors' SDKs; nothing bounds the whole
    attempt. `idle_s` replaces it after the response headers. `secrets`: texts that no message may contain.
    """

    def __init__(
        self,
        connections: Connections,
        wire: Wire,
        provability: Provability,
        timeout_s: float,
        idle_s: float | None,
        secrets: Sequence[str] = (),
    ) -> None:
        self._connections = connections
        self._wire = wire
        self._provability = provability
        self._timeout_s = timeout_s
        self._idle_s = idle_s
        self._secrets = tuple(secrets)

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
                attempt.message = f"no connection within {self._connections.connect_timeout_s:g} s"
                return
            except (OSError, UnicodeError) as error:  # a host name that cannot be resolved may raise the latter
                attempt.outcome, attempt.transport = Outcome.REFUSED, True
                attempt.message = self._said(error)
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
        wait_s = self._timeout_s if request.timeout_s is None else request.timeout_s
        idle_s = wait_s if self._idle_s is None else min(self._idle_s, wait_s)
        try:
            connection.send(request.content, wait_s)
        except TimeoutError:
            attempt.outcome, attempt.transport = Outcome.TIMEOUT, True
            attempt.message = f"the request could not be sent within {wait_s:g} s"
            return
        except OSError:
            pass  # The server may have responded and closed before it read all of a long body.
        response = _Response(StreamReader(self._wire) if request.stream else None)
        failure = response.read(connection, wait_s, idle_s, on_bytes)
        status = attempt.status = connection.status
        attempt.transport = failure is not None
        if status is None:
            failure = failure or _Failure(Outcome.RESET, "no response")
            attempt.outcome, attempt.message = failure.outcome, self._line(failure.message)
        elif status >= 300:
            attempt.headers = connection.headers()
            attempt.outcome = _outcome_of(status)
            body = response.whole()
            attempt.error_body = body[:_ERROR_BODY_BYTES]
            attempt.message = self._words(status, attempt.headers, body, failure)
        else:
            self._judge(connection, request, attempt, response, failure)

    def _judge(
        self,
        connection: Connection,
        request: Request,
        attempt: Attempt,
        response: _Response,
        failure: _Failure | None,
    ) -> None:
        """Reads and judges a response with status 2xx."""
        complete = connection.complete
        encoding = compression(connection.header("Content-Encoding"))
        if encoding:
            answer = Answer(corrupt=f"the answer is compressed ({encoding}), which the request did not ask for")
        elif response.reader is not None:
            answer = response.reader.finish(complete, response.last_s)
        elif complete:
            answer = read_complete_body(self._wire, response.whole(), response.last_s)
        else:
            answer = Answer()
        if answer.corrupt is not None and not answer.chunk_times_s:
            answer.corrupt += _content_type_of(connection)
        if failure is not None and failure.outcome is Outcome.CORRUPT:
            answer.corrupt = answer.corrupt or failure.message
        attempt.answer = answer
        attempt.degraded = connection.header(DEGRADED_HEADER)
        judgement = attempt.judgement = judge(
            answer,
            expected_after_degradation(request.expected, attempt.degraded),
            self._provability,
            message_complete=complete,
            stalled=failure is not None and failure.outcome is Outcome.STALLED,
        )
        attempt.outcome = judgement.outcome
        why = failure.message if failure is not None and judgement.outcome is Outcome.STALLED else judgement.why
        attempt.message = self._line(why)

    def _line(self, text: str) -> str:
        return one_line(text, self._secrets)

    def _said(self, error: OSError | UnicodeError) -> str:
        if isinstance(error, UnicodeError):
            return "the host name is not valid"
        verify = getattr(error, "verify_message", "")
        if verify:
            return self._line(f"the certificate is not accepted: {verify}")
        return self._line(str(error.strerror or error) or type(error).__name__)

    def _words(self, status: int, headers: Mapping[str, str], body: bytes, failure: _Failure | None) -> str:
        """What a response with an error status says."""
        if 300 <= status < 400:
            place = (headers.get("location") or "").partition("?")[0]  # a query may contain a token
            if place:
                return self._line(f"{status} to {place}: redirects are refused")
            return body_text(body, self._secrets) or f"{status} without a place to go to: redirects are refused"
        encoding = compression(headers.get("content-encoding"))
        text = encoded_text(body, encoding, self._secrets)
        return text or (failure.message if failure is not None else "no message in the response")


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why reading stopped before the message was complete."""

    outcome: Outcome
    message: str


class _Response:
    """Reads one response: into `reader` if it is a stream with a good status, else into memory."""

    def __init__(self, reader: StreamReader | None) -> None:
        self.reader = reader
        self.last_s = now_s()
        self._body: list[bytes] = []

    def whole(self) -> bytes:
        """The body of a response that was not read as a stream."""
        return b"".join(self._body)

    def read(
        self, connection: Connection, wait_s: float, idle_s: float, on_bytes: Callable[[float], None]
    ) -> _Failure | None:
        """Reads until the message is complete, or the reader has seen enough. Returns why it ended early, else None."""
        size = 0
        status: int | None = None
        receive = connection.receive
        while True:
            try:
                data = receive(wait_s if status is None else idle_s)
            except TimeoutError:
                if status is None:
                    return _Failure(Outcome.TIMEOUT, f"no response within {wait_s:g} s")
                return _Failure(Outcome.STALLED, f"the stream was silent for {idle_s:g} s")
            except BrokenMessageError as error:
                return _Failure(Outcome.CORRUPT, f"the response is not HTTP: {error}")
            except (ConnectionClosedError, OSError) as error:
                if status is None:
                    return _Failure(Outcome.RESET, f"no response: {error}")
                return _Failure(Outcome.TRUNCATED, "the connection closed in the middle of the response")
            at_s = self.last_s = now_s()
            on_bytes(at_s)
            if status is None:
                status = connection.status
                if status is None:
                    continue
            if self.reader is not None and status < 300:
                self.reader.feed(data, at_s)
                if self.reader.stopped:
                    return None
            else:
                self._body.append(data)
            size += len(data)
            if size > MAX_WHOLE_BODY_BYTES:
                return _Failure(Outcome.CORRUPT, f"the response is longer than {MAX_WHOLE_BODY_BYTES} bytes")
            if connection.complete:
                return None


def _outcome_of(status: int) -> Outcome:
    if status == 429:
        return Outcome.RATE_LIMITED
    return Outcome.HTTP_5XX if status >= 500 else Outcome.HTTP_4XX


def _content_type_of(connection: Connection) -> str:
    """The content type of an answer that cannot be read, if it is not that of an event stream or of JSON."""
    kind = (connection.header("Content-Type") or "").partition(";")[0].strip().lower()
    return "" if kind in ("", "text/event-stream", "application/json") else f" ({kind})"
