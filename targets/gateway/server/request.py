"""One request of a client, from its body to the last byte of its answer, over as many attempts as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from math import ceil, inf
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from opentelemetry.trace import Span

from reports.shared import attributes as a
from reports.shared.attributes import Outcome
from reports.shared.tokens import TOKEN_CHARS
from targets.gateway.api.answer import AnswerStream
from targets.gateway.api.headers import DEGRADED, account, for_client, for_upstream
from targets.gateway.api.incoming import Body, affinity_key, error_in, is_json, lessened, marker_of, prompt_tokens
from targets.gateway.api.sse import Framer
from targets.gateway.behaviours.active import Hit
from targets.gateway.policies.attempts.retries import GiveUp
from targets.gateway.routing.decisions import Attempt, Call, Ended, Reject, Wait
from targets.gateway.server.admission_wait import Visit
from targets.gateway.server.deadlines import Watch
from targets.gateway.server.failures import DeadError, broken, interrupted, refused, refuses
from targets.gateway.server.hedge_race import race
from targets.gateway.server.retrying import AttemptFailedError, HeldError, Refusal, drive
from targets.gateway.server.upstream_attempt import EVENT_STREAM, Leg

if TYPE_CHECKING:
    from targets.gateway.server.server import GatewayServer

__all__ = ["ClientGoneError", "Exchange"]

_END_WITHIN_S = 0.25


class ClientGoneError(Exception):
    """The client left while it was being written to."""


class Exchange:
    """State of one request. `run` answers it."""

    def __init__(
        self,
        gateway: GatewayServer,
        request: web.BaseRequest,
        raw: bytes,
        body: Body,
        fresh: Callable[[bool], AnswerStream],
    ) -> None:
        stream = fresh(gateway.config.policies.migration is not None)
        self._gateway = gateway
        self._router = gateway.router
        self._loop = gateway.loop
        self._request = request
        self._raw = raw
        self._fresh = fresh  # an answer of which nothing is there yet; whether it holds
        self._send = raw  # of the next attempt
        self._stream = stream
        self._streaming = bool(body.stream)
        self._headers = for_upstream(request.headers)
        self._call = Call(affinity_key(request.headers, body, raw), prompt_tokens(raw), limit=stream.limit)
        self._started_at = self._loop.time()
        total_s = gateway.config.policies.timeouts.total_s
        self._total_at = self._started_at + total_s if total_s is not None else inf
        self._first_at: float | None = None
        self._response: web.StreamResponse | None = None
        self._left = False  # the client did, and the call goes on without it
        self._account = account(self._headers)
        self._span: Span | None = None
        if gateway.tracing.on:
            self._span = gateway.tracing.request(request.headers, body, marker_of(raw), self._account)
        self._told: dict[str, str] = {}  # headers of the answer besides the replica's
        self._visit: Visit | None = None
        if gateway.entrance is not None:
            self._visit = Visit(gateway.entrance, self._loop, gateway.tracing, self._span)

    async def run(self) -> web.StreamResponse:
        """Answers the request. Cancelling it (the client left) cancels the attempt under way at once."""
        outcome, status, why = Outcome.ABANDONED, 0, "the client left"
        self._router.begin(self._started_at)
        try:
            if self._visit is not None:
                await self._enter(self._visit)
            await drive(self._attempt, self._gateway.sleep)
            assert self._response is not None
            outcome, status, why = Outcome.OK, self._response.status, ""
            if status >= 400:
                outcome, why = Outcome.HTTP_4XX, "the caller's mistake"
            elif self._left:
                outcome, why = Outcome.ABANDONED, "the client left"
            return self._response
        except AttemptFailedError as failure:
            outcome, why = failure.outcome, failure.why
            response = await self._fail(failure)
            status = response.status
            return response
        except ClientGoneError:
            assert self._response is not None
            return self._response
        except Exception as error:
            outcome, why = Outcome.CORRUPT, f"the gateway itself failed: {error!r}"
            raise
        finally:
            self._router.end(self._call)
            if self._visit is not None:
                self._visit.over(self._output_tokens())
            self._end(outcome, status, why)

    async def _enter(self, visit: Visit) -> None:
        try:
            degraded = await visit.enter(
                self._account,
                self._raw,
                self._call.prompt_tokens,
                self._stream.limit,
                self._router.prefill_s(self._loop.time(), self._call),
                self._stream.error_body,
            )
        except AttemptFailedError:
            self._gateway.counts.refused += 1
            raise
        if degraded is not None:
            self._raw = self._send = lessened(self._raw, degraded.max_tokens, degraded.model)
            self._told[DEGRADED] = degraded.header
            if degraded.max_tokens is not None:
                self._stream.limit = self._call.limit = degraded.max_tokens

    def _output_tokens(self) -> int:
        if isinstance(self._response, web.Response):
            body = self._response.body
            return len(body) // TOKEN_CHARS if isinstance(body, bytes) and self._response.status < 300 else 0
        return self._stream.events  # about one a token

    # -- attempts ----------------------------------------------------------------------------------------------------

    async def _attempt(self) -> None:
        call, behaviours = self._call, self._gateway.behaviours
        if self._visit is not None:
            if call.attempts:
                await self._visit.again()
            self._visit.started()
        if behaviours.slow:
            self._hit(await behaviours.decide())
        choice = self._router.choose(self._loop.time(), call)
        self._gateway.announce()
        if self._span is not None:
            chosen = choice.replica.name if isinstance(choice, Attempt) else ""
            self._gateway.tracing.decision(self._span, choice.decision, chosen)
        if isinstance(choice, Wait):
            raise HeldError(choice.delay_s)
        if isinstance(choice, Reject):
            self._gateway.counts.refused += 1
            outcome = Outcome.RATE_LIMITED if choice.status == 429 else Outcome.HTTP_5XX
            headers = {}
            if choice.retry_after_s is not None:
                headers["Retry-After"] = f"{max(1, ceil(choice.retry_after_s))}"
            body = self._stream.error_body(choice.status, f"no replica can take it: {choice.decision.why}")
            refusal = Refusal(choice.status, body, {"Content-Type": "application/json", **headers})
            raise AttemptFailedError(outcome, GiveUp(choice.decision.why), refusal, choice.decision.why)
        self._hit(behaviours.sent(choice.replica))
        self._gateway.counts.attempt(choice.reason)
        attempt, dead = await self._try(choice)
        if dead is not None:
            await self._after(attempt, dead)

    def _hit(self, hits: list[Hit]) -> None:
        if self._span is not None:
            for hit in hits:
                self._gateway.tracing.hit(self._span, hit.fault_id, hit.kind)

    async def _try(self, attempt: Attempt) -> tuple[Attempt, DeadError | None]:
        """One attempt from connect to end, or two in a race; (the last one, None): it went well, or is answered for."""
        leg = self._leg(attempt)
        events_before = self._stream.events
        dead: DeadError | None = DeadError(Outcome.ABANDONED, "the client left")
        try:
            hedge_s = self._router.hedge_after_s() if self._streaming and not self._stream.passed_on else None
            if hedge_s is None:
                await leg.open(self._request.path, self._send)
            else:
                leg, died = await race(leg, self._lead, hedge_s, lambda: self._hedge(attempt))
                if died is not None:
                    raise died
                leg.take_over()
            await self._receive(leg)
            dead = None
        except DeadError as death:
            dead = death
        except asyncio.CancelledError:
            if not leg.watch.was_it():
                raise
            dead = interrupted(leg.watch)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            dead = broken(error, leg.response is not None)
        finally:
            leg.settle(dead, self._stream.events - events_before, self._stream.tokens - self._call.offset)
        return leg.attempt, dead

    def _leg(self, attempt: Attempt) -> Leg:
        deadline = attempt.started_at + attempt.first_token_s if self._streaming else inf
        return Leg(self._gateway, attempt, self._call, self._span, self._headers, deadline, self._total_at)

    def _hedge(self, first: Attempt) -> Leg | None:
        choice = self._router.hedge(self._loop.time(), self._call, first)
        if choice is None:
            return None
        if self._span is not None:
            self._gateway.tracing.decision(self._span, choice.decision, choice.replica.name)
        self._gateway.counts.attempt(choice.reason)
        return self._leg(choice)

    def _lead(self, leg: Leg) -> asyncio.Task[DeadError | None]:
        return self._loop.create_task(leg.lead(self._request.path, self._send, self._fresh(False)))

    async def _after(self, attempt: Attempt, dead: DeadError) -> None:
        """After a death: finish what is complete, or raise `AttemptFailedError` with what comes next."""
        stream = self._stream
        if self._streaming:
            rest = stream.closing()
            if rest is not None:
                if self._response is None:
                    await self._begin({"Content-Type": EVENT_STREAM})
                await self._finish(rest)
                return
        ended = Ended(dead.outcome, 0, dead.retry_after_s, dead.lost)
        stuck = stream.stuck_because if stream.passed_on else None
        verdict = self._router.after(self._loop.time(), self._call, attempt, ended, stream.passed_on)
        if stuck is not None and not isinstance(verdict, GiveUp):
            verdict = GiveUp(stuck)
        if self._total_at <= self._loop.time():
            verdict = GiveUp("the call's time is up")
        if not isinstance(verdict, GiveUp):
            self._gateway.counts.again(verdict.reason)
            if stream.passed_on:
                self._send = stream.continuation(self._raw)
                self._call.offset = stream.tokens
            stream.start()
        raise AttemptFailedError(dead.outcome, verdict, dead.refusal, f"{attempt.replica.name}: {dead.why}")

    # -- answers -----------------------------------------------------------------------------------------------------

    async def _receive(self, leg: Leg) -> None:
        response, attempt = leg.response, leg.attempt
        assert response is not None
        status = response.status
        if status == 200 and response.content_type == EVENT_STREAM:
            await self._relay(response, leg)
            return
        body = await response.read()
        attempt.replica.last_heard = self._loop.time()
        if not refuses(status):
            if status < 300:
                if not is_json(body):  # say, a body ended cleanly, but too soon
                    raise DeadError(Outcome.TRUNCATED, f"an answer of {len(body)} bytes that is not JSON", lost=True)
                if (error := error_in(body)) is not None:
                    raise DeadError(Outcome.ERROR_EVENT, f"an error with status {status}: {error}")
                self._router.first_token(self._loop.time(), attempt, streamed=False)
            await self._respond(status, body, for_client(response.headers))
            return
        raise refused(status, body, response.headers)

    async def _relay(self, response: aiohttp.ClientResponse, leg: Leg) -> None:
        """Passes a stream on, event by event, until its end. Raises `DeadError` when that comes too soon."""
        framer, stream, read, clock = Framer(), self._stream, response.content.readany, self._loop.time
        attempt, watch, ahead = leg.attempt, leg.watch, leg.ahead
        replica = attempt.replica
        between_s = self._gateway.config.policies.timeouts.between_tokens_s or inf
        while data := ahead or await read():
            ahead = b""
            whole = framer.push(data)
            if not whole:
                continue
            passed = stream.feed(whole)
            now = replica.last_heard = clock()
            if watch.waiting and stream.first_token:
                watch.waiting = False
                watch.phase = "between tokens"
                self._router.first_token(now, attempt)
                if self._visit is not None:
                    self._visit.first_token()
                if self._first_at is None:
                    self._first_at = now
            if passed:
                watch.deadline, watch.writing = inf, True  # a slow client is not a slow replica
                if self._response is None:
                    await self._begin(for_client(response.headers))
                if stream.done:
                    await self._finish(passed)
                    await _read_end(response, watch, clock() + _END_WITHIN_S)
                    return
                if now - watch.heard < watch.gap:
                    watch.gap = now - watch.heard
                watch.heard = now
                await self._write(passed)
                watch.writing = False
                now = clock()
            if stream.error is not None:
                outcome = Outcome.CORRUPT if stream.corrupt else Outcome.ERROR_EVENT
                raise DeadError(outcome, f"an error in the stream: {stream.error}")
            if not watch.waiting:
                watch.deadline = now + between_s
        raise DeadError(Outcome.TRUNCATED, "the stream ended without its terminal event", lost=True)

    async def _begin(self, headers: dict[str, str]) -> None:
        self._response = web.StreamResponse(status=200, headers={"Cache-Control": "no-cache", **headers, **self._told})
        await self._to_client(self._response.prepare(self._request))

    async def _write(self, data: bytes) -> None:
        assert self._response is not None
        if not self._left:
            await self._to_client(self._response.write(data))

    async def _finish(self, data: bytes) -> None:
        assert self._response is not None
        if not self._left:
            await self._to_client(self._response.write_eof(data))  # with the end of the message, in one write

    async def _to_client(self, writing: Awaitable[object]) -> None:
        try:
            await writing
        except ConnectionError as error:
            if self._gateway.config.policies.cancellation is not None:
                raise ClientGoneError from error
            self._left = True

    async def _respond(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        if self._response is not None:  # a continuation that is no stream
            raise DeadError(Outcome.CORRUPT, f"HTTP {status} instead of the rest of a stream")
        self._response = web.Response(status=status, body=body, headers={**headers, **self._told})

    async def _fail(self, failure: AttemptFailedError) -> web.StreamResponse:
        """The last word when nothing helped: an error event in a stream that began, else an error answer."""
        if self._response is not None:
            self._response.force_close()
            try:
                await self._response.write(self._stream.error_event(f"the answer broke off: {failure.why}"))
                await self._response.write_eof()
            except ConnectionError:
                pass  # nobody is left to tell
            return self._response
        refusal = failure.refusal
        if refusal is None:
            status = 504 if failure.outcome in (Outcome.TIMEOUT, Outcome.STALLED) else 502
            body = self._stream.error_body(status, f"no replica answered: {failure.why}")
            refusal = Refusal(status, body, {"Content-Type": "application/json"})
        return web.Response(status=refusal.status, body=refusal.body, headers=refusal.headers)

    def _end(self, outcome: Outcome, status: int, why: str) -> None:
        self._gateway.counts.ended(outcome)
        first_s = self._first_at - self._started_at if self._first_at is not None else None
        if first_s is not None:
            self._gateway.counts.first_token(first_s)
        if self._span is None:
            return
        about: dict[str, str | int | float] = {
            a.GATEWAY_ATTEMPTS: self._call.attempts,
            a.GATEWAY_MIGRATIONS: self._call.spent.migrations,
        }
        if status:
            about[a.HTTP_STATUS] = status
        if first_s is not None:
            about[a.RESPONSE_TTFC] = first_s
        if self._told:
            about[a.DEGRADED] = self._told[DEGRADED]
        self._gateway.tracing.end(self._span, outcome, about, why)


async def _read_end(response: aiohttp.ClientResponse, watch: Watch, deadline: float) -> None:
    """The end of the HTTP message after the last event, so that the connection can be used again.

    The client has its answer: whatever goes wrong here, or whoever leaves, it stays a good one.
    """
    watch.deadline = deadline
    try:
        while await response.content.readany():
            pass
    except asyncio.CancelledError:
        watch.task.uncancel()
    except (aiohttp.ClientError, OSError):
        pass
