"""One client request, from its body to the last byte of its response, over as many attempts as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from math import inf

import aiohttp
from aiohttp import web
from opentelemetry.trace import Span

from reports.shared import attributes as a
from reports.shared.attributes import Outcome
from reports.shared.tokens import TOKEN_CHARS
from targets.gateway.api.answer import AnswerStream
from targets.gateway.api.headers import DEGRADED, account, for_client, for_upstream
from targets.gateway.api.incoming import (
    Body,
    affinity_key,
    error_in,
    is_json,
    marker_of,
    prompt_tokens,
    with_lower_limits,
)
from targets.gateway.api.sse import Framer
from targets.gateway.behaviours.active import FaultHit
from targets.gateway.policies.attempts.retries import GiveUp
from targets.gateway.routing.decisions import AttemptResult, Decision, Reject, RoutedAttempt, RoutedCall, Wait
from targets.gateway.server.admission_wait import AdmissionWait, refusal_error
from targets.gateway.server.context import GatewayContext
from targets.gateway.server.deadlines import AttemptDeadlines
from targets.gateway.server.failures import (
    AttemptError,
    error_of_connection,
    error_of_deadline,
    error_of_reject,
    error_of_status,
    is_failure_status,
    response_without_replica,
)
from targets.gateway.server.hedge_race import race
from targets.gateway.server.retrying import RetryDecisionError, WaitForReplicaError, run_attempts
from targets.gateway.server.upstream_attempt import EVENT_STREAM, UpstreamAttempt

__all__ = ["ClientGoneError", "ProxiedRequest"]

_END_WITHIN_S = 0.25


class ClientGoneError(Exception):
    """The client disconnected while the response was being written."""


class ProxiedRequest:
    """State of one request. `run` returns its response.

    `new_stream` makes an empty response stream; its argument: whether to hold back tool calls and the finish.
    """

    def __init__(
        self,
        context: GatewayContext,
        request: web.BaseRequest,
        raw: bytes,
        body: Body,
        new_stream: Callable[[bool], AnswerStream],
    ) -> None:
        stream = new_stream(context.policies.migration is not None)
        self._context = context
        self._router = context.router
        self._loop = context.loop
        self._request = request
        self._raw = raw
        self._new_stream = new_stream
        self._upstream_body = raw  # of the next attempt
        self._stream = stream
        self._streaming = bool(body.stream)
        self._headers = for_upstream(request.headers)
        self._call = RoutedCall(affinity_key(request.headers, body, raw), prompt_tokens(raw), limit=stream.limit)
        self._started_at = self._loop.time()
        total_s = context.policies.timeouts.total_s
        self._total_at = self._started_at + total_s if total_s is not None else inf
        self._first_token_at: float | None = None
        self._response: web.StreamResponse | None = None
        self._client_gone = False  # the client disconnected, and the request goes on without it
        self._account = account(self._headers)
        self._span: Span | None = None
        if context.tracing.on:
            self._span = context.tracing.request(request.headers, body, marker_of(raw), self._account)
        self._extra_headers: dict[str, str] = {}  # added to the replica's own
        self._admission: AdmissionWait | None = None
        if context.admission is not None:
            self._admission = AdmissionWait(context.admission, self._loop, context.tracing, self._span)

    async def run(self) -> web.StreamResponse:
        """Returns the response. Cancelling it (the client disconnected) cancels the running attempt at once."""
        outcome, status, why = Outcome.ABANDONED, 0, "the client disconnected"
        self._router.begin(self._started_at)
        try:
            refused = self._context.operations.refusal(self._account)
            if refused is not None:
                self._context.counts.refused += 1
                if self._span is not None:
                    self._context.tracing.decision(self._span, Decision((), (), refused.why), "")
                raise refusal_error(refused, self._stream.error_body)
            if self._admission is not None:
                await self._wait_for_admission(self._admission)
            await run_attempts(self._attempt, self._context.sleep)
            assert self._response is not None
            outcome, status, why = Outcome.OK, self._response.status, ""
            if status >= 400:
                outcome, why = Outcome.HTTP_4XX, "client error"
            elif self._client_gone:
                outcome, why = Outcome.ABANDONED, "the client disconnected"
            return self._response
        except RetryDecisionError as failure:
            outcome, why = failure.outcome, failure.why
            response = await self._respond_failure(failure)
            status = response.status
            return response
        except ClientGoneError:
            assert self._response is not None
            return self._response
        except Exception as error:
            outcome, why = Outcome.CORRUPT, f"internal error of the gateway: {error!r}"
            raise
        finally:
            self._router.end(self._call)
            if self._admission is not None:
                self._admission.ended(self._output_tokens())
            self._record_end(outcome, status, why)

    async def _wait_for_admission(self, admission: AdmissionWait) -> None:
        try:
            degraded = await admission.admit(
                self._account,
                self._raw,
                self._call.prompt_tokens,
                self._stream.limit,
                self._router.prefill_s(self._loop.time(), self._call),
                self._stream.error_body,
            )
        except RetryDecisionError:
            self._context.counts.refused += 1
            raise
        if degraded is not None:
            self._raw = self._upstream_body = with_lower_limits(self._raw, degraded.max_tokens, degraded.model)
            self._extra_headers[DEGRADED] = degraded.header
            if degraded.max_tokens is not None:
                self._stream.limit = self._call.limit = degraded.max_tokens

    def _output_tokens(self) -> int:
        if isinstance(self._response, web.Response):
            body = self._response.body
            return len(body) // TOKEN_CHARS if isinstance(body, bytes) and self._response.status < 300 else 0
        return self._stream.events  # about one per token

    # -- attempts ----------------------------------------------------------------------------------------------------

    async def _attempt(self) -> None:
        call, behaviours = self._call, self._context.behaviours
        if self._admission is not None:
            if call.attempts:
                await self._admission.wait_before_retry()
            self._admission.attempt_started()
        if behaviours.delays_decisions:
            self._trace_hits(await behaviours.wait_for_decision())
        choice = self._router.choose(self._loop.time(), call)
        self._context.report_changes()
        if self._span is not None:
            chosen = choice.replica.name if isinstance(choice, RoutedAttempt) else ""
            self._context.tracing.decision(self._span, choice.decision, chosen)
        if isinstance(choice, Wait):
            raise WaitForReplicaError(choice.delay_s)
        if isinstance(choice, Reject):
            self._context.counts.refused += 1
            raise error_of_reject(choice, self._stream.error_body)
        self._trace_hits(behaviours.count_sent(choice.replica))
        self._context.counts.attempt(choice.reason)
        attempt, error = await self._run_attempt(choice)
        if error is not None:
            await self._after_failure(attempt, error)

    def _trace_hits(self, hits: list[FaultHit]) -> None:
        if self._span is not None:
            for hit in hits:
                self._context.tracing.hit(self._span, hit.fault_id, hit.kind)

    async def _run_attempt(self, choice: RoutedAttempt) -> tuple[RoutedAttempt, AttemptError | None]:
        """One attempt from connect to end, or two in a race. Returns the last one, and its error if it failed."""
        upstream = self._upstream_attempt(choice)
        events_before = self._stream.events
        error: AttemptError | None = AttemptError(Outcome.ABANDONED, "the client disconnected")
        try:
            hedge_s = self._router.hedge_after_s() if self._streaming and not self._stream.passed_on else None
            if hedge_s is None:
                await upstream.open(self._request.path, self._upstream_body)
            else:
                upstream, failure = await race(upstream, self._start_race, hedge_s, lambda: self._hedge(choice))
                if failure is not None:
                    raise failure
                upstream.take_over()
            await self._receive(upstream)
            error = None
        except AttemptError as failure:
            error = failure
        except asyncio.CancelledError:
            if not upstream.deadlines.caused_cancellation():
                raise
            error = error_of_deadline(upstream.deadlines)
        except (aiohttp.ClientError, OSError, TimeoutError) as failure:
            error = error_of_connection(failure, upstream.response is not None)
        finally:
            upstream.finish(error, self._stream.events - events_before, self._stream.tokens - self._call.offset)
        return upstream.attempt, error

    def _upstream_attempt(self, attempt: RoutedAttempt) -> UpstreamAttempt:
        deadline = attempt.started_at + attempt.first_token_s if self._streaming else inf
        return UpstreamAttempt(self._context, attempt, self._call, self._span, self._headers, deadline, self._total_at)

    def _hedge(self, first: RoutedAttempt) -> UpstreamAttempt | None:
        choice = self._router.hedge(self._loop.time(), self._call, first)
        if choice is None:
            return None
        if self._span is not None:
            self._context.tracing.decision(self._span, choice.decision, choice.replica.name)
        self._context.counts.attempt(choice.reason)
        return self._upstream_attempt(choice)

    def _start_race(self, attempt: UpstreamAttempt) -> asyncio.Task[AttemptError | None]:
        return self._loop.create_task(
            attempt.open_to_first_token(self._request.path, self._upstream_body, self._new_stream(False))
        )

    async def _after_failure(self, attempt: RoutedAttempt, error: AttemptError) -> None:
        """Ends the response if only its end is missing, else raises `RetryDecisionError` with the next step."""
        stream = self._stream
        if self._streaming:
            rest = stream.closing()
            if rest is not None:
                if self._response is None:
                    await self._begin({"Content-Type": EVENT_STREAM})
                await self._finish(rest)
                return
        result = AttemptResult(error.outcome, 0, error.retry_after_s, error.connection_lost)
        not_continuable = stream.not_continuable_because if stream.passed_on else None
        next_step = self._router.after_failure(self._loop.time(), self._call, attempt, result, stream.passed_on)
        if not_continuable is not None and not isinstance(next_step, GiveUp):
            next_step = GiveUp(not_continuable)
        if self._total_at <= self._loop.time():
            next_step = GiveUp("the total timeout of the call expired")
        if not isinstance(next_step, GiveUp):
            self._context.counts.further_attempt(next_step.reason)
            if stream.passed_on:
                self._upstream_body = stream.continuation(self._raw)
                self._call.offset = stream.tokens
            stream.start()
        raise RetryDecisionError(error.outcome, next_step, error.response, f"{attempt.replica.name}: {error.why}")

    # -- responses ---------------------------------------------------------------------------------------------------

    async def _receive(self, upstream: UpstreamAttempt) -> None:
        response, attempt = upstream.response, upstream.attempt
        assert response is not None
        status = response.status
        if status == 200 and response.content_type == EVENT_STREAM:
            await self._relay(response, upstream)
            return
        body = await response.read()
        attempt.replica.last_byte_at = self._loop.time()
        if is_failure_status(status):
            raise error_of_status(status, body, response.headers)
        if status < 300:
            if not is_json(body):  # for example, the connection was closed cleanly but too soon
                why = f"a response of {len(body)} bytes that is not JSON"
                raise AttemptError(Outcome.TRUNCATED, why, connection_lost=True)
            if (message := error_in(body)) is not None:
                raise AttemptError(Outcome.ERROR_EVENT, f"an error with status {status}: {message}")
            self._router.first_token(self._loop.time(), attempt, streamed=False)
        await self._respond(status, body, for_client(response.headers))

    async def _relay(self, response: aiohttp.ClientResponse, upstream: UpstreamAttempt) -> None:
        """Forwards a stream event by event up to its end. Raises `AttemptError` when it ends too soon."""
        framer, stream, read, clock = Framer(), self._stream, response.content.readany, self._loop.time
        attempt, deadlines, ahead = upstream.attempt, upstream.deadlines, upstream.read_ahead
        replica = attempt.replica
        between_s = self._context.policies.timeouts.between_tokens_s or inf
        while data := ahead or await read():
            ahead = b""
            whole = framer.push(data)
            if not whole:
                continue
            passed = stream.feed(whole)
            now = replica.last_byte_at = clock()
            if deadlines.waiting and stream.first_token:
                deadlines.waiting = False
                deadlines.phase = "between tokens"
                self._router.first_token(now, attempt)
                if self._admission is not None:
                    self._admission.first_token()
                if self._first_token_at is None:
                    self._first_token_at = now
            if passed:
                deadlines.deadline, deadlines.writing_to_client = inf, True  # a slow client is not a slow replica
                if self._response is None:
                    await self._begin(for_client(response.headers))
                if stream.done:
                    await self._finish(passed)
                    await _read_end(response, deadlines, clock() + _END_WITHIN_S)
                    return
                if now - deadlines.last_token_at < deadlines.min_gap_s:
                    deadlines.min_gap_s = now - deadlines.last_token_at
                deadlines.last_token_at = now
                await self._write(passed)
                deadlines.writing_to_client = False
                now = clock()
            if stream.error is not None:
                outcome = Outcome.CORRUPT if stream.corrupt else Outcome.ERROR_EVENT
                raise AttemptError(outcome, f"an error in the stream: {stream.error}")
            if not deadlines.waiting:
                deadlines.deadline = now + between_s
        raise AttemptError(Outcome.TRUNCATED, "the stream ended without its terminal event", connection_lost=True)

    async def _begin(self, headers: dict[str, str]) -> None:
        merged = {"Cache-Control": "no-cache", **headers, **self._extra_headers}
        self._response = web.StreamResponse(status=200, headers=merged)
        await self._to_client(self._response.prepare(self._request))

    async def _write(self, data: bytes) -> None:
        assert self._response is not None
        if not self._client_gone:
            await self._to_client(self._response.write(data))

    async def _finish(self, data: bytes) -> None:
        assert self._response is not None
        if not self._client_gone:
            await self._to_client(self._response.write_eof(data))  # with the end of the HTTP message, in one write

    async def _to_client(self, writing: Awaitable[object]) -> None:
        try:
            await writing
        except ConnectionError as error:
            if self._context.policies.cancellation is not None:
                raise ClientGoneError from error
            self._client_gone = True

    async def _respond(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        if self._response is not None:  # a continuation that is not a stream
            raise AttemptError(Outcome.CORRUPT, f"HTTP {status} instead of the rest of a stream")
        self._response = web.Response(status=status, body=body, headers={**headers, **self._extra_headers})

    async def _respond_failure(self, failure: RetryDecisionError) -> web.StreamResponse:
        """After the last attempt failed: an error event if the stream has begun, else an error response."""
        if self._response is not None:
            self._response.force_close()
            try:
                await self._response.write(self._stream.error_event(f"the stream ended early: {failure.why}"))
                await self._response.write_eof()
            except ConnectionError:
                pass  # the client disconnected as well
            return self._response
        response = failure.response or response_without_replica(failure, self._stream.error_body)
        return web.Response(status=response.status, body=response.body, headers=response.headers)

    def _record_end(self, outcome: Outcome, status: int, why: str) -> None:
        self._context.counts.ended(outcome)
        first_token_s = self._first_token_at - self._started_at if self._first_token_at is not None else None
        if first_token_s is not None:
            self._context.counts.first_token(first_token_s)
        if self._span is None:
            return
        about: dict[str, str | int | float] = {
            a.GATEWAY_ATTEMPTS: self._call.attempts,
            a.GATEWAY_MIGRATIONS: self._call.usage.migrations,
        }
        if status:
            about[a.HTTP_STATUS] = status
        if first_token_s is not None:
            about[a.RESPONSE_TTFC] = first_token_s
        if self._extra_headers:
            about[a.DEGRADED] = self._extra_headers[DEGRADED]
        self._context.tracing.end(self._span, outcome, about, why)


async def _read_end(response: aiohttp.ClientResponse, deadlines: AttemptDeadlines, deadline: float) -> None:
    """Reads the end of the HTTP message after the last event, so that the connection can be reused.

    The client has its whole response: an error or a cancellation here does not change the outcome.
    """
    deadlines.deadline = deadline
    try:
        while await response.content.readany():
            pass
    except asyncio.CancelledError:
        deadlines.task.uncancel()
    except (aiohttp.ClientError, OSError):
        pass
