"""One model request, from its body to its last byte: parse, apply behaviours, decode, record."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from itertools import count
from typing import Final

from aiohttp import web
from opentelemetry.trace import Span

from reports.shared.attributes import Outcome
from targets.bodies import read_body
from targets.replica.api.api import Api, RequestError
from targets.replica.api.conversation import ContextLengthError, plan_answer
from targets.replica.behaviours.active import ActiveBehaviours
from targets.replica.behaviours.base import CannedAnswer
from targets.replica.behaviours.request_context import RequestContext
from targets.replica.delivery.driver import Driver
from targets.replica.delivery.job import Job
from targets.replica.delivery.response import SentResponse
from targets.replica.delivery.stream import OutgoingStream
from targets.replica.engine.engine import EngineRequest
from targets.replica.server.config import ReplicaConfig
from targets.replica.server.metrics import Metrics
from targets.replica.server.request_log import RequestLog
from targets.replica.server.served_request import ServedRequest, outcome_of_status
from targets.replica.server.spans import Spans

__all__ = ["ModelRequests"]

MAX_BODY_BYTES: Final = 64 * 1024 * 1024

WARMING_UP: Final = "The model is still loading; try again later."


class ModelRequests:
    """Serves model requests of any API."""

    def __init__(
        self,
        config: ReplicaConfig,
        *,
        driver: Driver,
        behaviours: ActiveBehaviours,
        metrics: Metrics,
        spans: Spans,
        clock: Callable[[], float],
        request_overhead_s: float,
    ) -> None:
        self.received = 0
        self.idle = asyncio.Event()  # set if no request is in progress
        self.idle.set()
        self._idle_since = clock()
        self._in_progress = 0
        self._config = config
        self._driver = driver
        self._behaviours = behaviours
        self._metrics = metrics
        self._spans = spans
        self._log = RequestLog(config.request_log)
        self._clock = clock
        self._request_overhead_s = request_overhead_s
        self._ids = count(1)

    async def serve(self, request: web.BaseRequest, api: Api, *, ready: bool) -> web.StreamResponse:
        """Answer a request. A client that disconnects cancels the handler and so the engine's work."""
        served = ServedRequest(self._clock())
        span = self._spans.begin(request.headers, served.arrived)
        self.received += 1
        self._in_progress += 1
        self.idle.clear()
        try:
            return await self._serve(request, api, served, span, ready)
        finally:
            self._in_progress -= 1
            if not self._in_progress:
                self.idle.set()
                self._idle_since = self._clock()
            served.ended = self._clock()
            self._metrics.observe(served)
            if span is not None:
                self._spans.end(span, served)

    async def wait_until_idle(self, for_s: float) -> None:
        """Wait until no request has been in progress for `for_s` seconds."""
        while True:
            await self.idle.wait()
            left_s = for_s - (self._clock() - self._idle_since)
            if left_s <= 0:
                return
            await asyncio.sleep(left_s)

    def close(self) -> None:
        """Close the log of requests. Idempotent."""
        self._log.close()

    async def _serve(
        self, request: web.BaseRequest, api: Api, served: ServedRequest, span: Span | None, ready: bool
    ) -> web.StreamResponse:
        try:
            body = await read_body(request, MAX_BODY_BYTES)
            if not ready:
                raise RequestError(WARMING_UP, status=503)
            parsed = served.parsed = api.parse(body)
            answer = served.answer = plan_answer(parsed, self._config.context_limit)
        except web.HTTPRequestEntityTooLarge as error:
            return self._reject(served, api, RequestError(error.text or "Request body is too large", status=413))
        except ContextLengthError as error:
            return self._reject(served, api, RequestError(str(error), code="context_length_exceeded"))
        except RequestError as error:
            return self._reject(served, api, error)
        except (ValueError, RecursionError) as error:  # a client error: a 500 would count as a failure of the replica
            return self._reject(served, api, RequestError(str(error)))
        del body
        self._log.begin(self._spans.unix_ns(served.arrived), request.headers, span, answer, parsed.model or "")

        model = parsed.model or self._config.model
        context = served.context = RequestContext(answer.key, request.headers, model)
        delay_s, canned = self._behaviours.on_request(context)
        if canned is None:
            delay_s += self._request_overhead_s
        due = served.arrived + delay_s
        if (wait_s := due - self._clock()) > 0:
            await asyncio.sleep(wait_s)
        if canned is not None:
            return self._answer_canned(request, served, api, canned)
        await self._behaviours.wait_while_held(context)

        loop = asyncio.get_running_loop()
        renderer = api.renderer(parsed, answer, model, int(time.time()))
        stream = OutgoingStream(
            request, renderer, offset=answer.offset, streaming=parsed.streaming, loop=loop, clock=self._clock
        )
        identity = str(next(self._ids))
        job = Job(EngineRequest(identity, answer.blocks(), answer.prompt_tokens, answer.count), stream)
        stream.bind(job)
        context.stream = stream
        self._behaviours.on_submit(context)
        try:
            try:
                self._driver.submit(job)
            except ValueError as error:
                return self._reject(served, api, RequestError(str(error), code="context_length_exceeded"))
            served.job = job
            await stream.done
            served.outcome = stream.outcome or Outcome.OK
        finally:
            self._driver.cancel(job)
            self._behaviours.on_end(context)
            served.sent = stream.sent
            if stream.headers_sent:
                served.status = 200
            if stream.outcome is not None:
                served.outcome = stream.outcome
        return SentResponse(stream.reusable)

    def _reject(self, served: ServedRequest, api: Api, error: RequestError) -> web.Response:
        served.status, served.outcome = error.status, outcome_of_status(error.status)
        body = api.error(error.status, str(error), error.code)
        return web.Response(status=error.status, body=body, content_type="application/json")

    def _answer_canned(
        self, request: web.BaseRequest, served: ServedRequest, api: Api, canned: CannedAnswer
    ) -> web.StreamResponse:
        served.outcome = canned.outcome or outcome_of_status(canned.status)
        if canned.raw is not None:
            if request.transport is not None:
                request.transport.write(canned.raw)
                request.transport.close()  # buffered bytes are sent first
            return SentResponse(False)
        served.status = canned.status
        headers = {} if canned.retry_after_s is None else {"Retry-After": f"{canned.retry_after_s:g}"}
        body = (
            canned.body.encode() if canned.body is not None else api.error(canned.status, "The server is overloaded.")
        )
        return web.Response(status=canned.status, body=body, headers=headers, content_type="application/json")
