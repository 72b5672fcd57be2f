"""One attempt at one replica: its span, its deadlines, its connection, its result."""

from __future__ import annotations

import asyncio
from io import BytesIO

import aiohttp
from opentelemetry.trace import Span

from reports.shared import attributes as a
from reports.shared.attributes import Outcome
from targets.gateway.api.answer import AnswerStream
from targets.gateway.api.sse import Framer
from targets.gateway.routing.decisions import AttemptResult, RoutedAttempt, RoutedCall
from targets.gateway.server.context import GatewayContext
from targets.gateway.server.deadlines import AttemptDeadlines
from targets.gateway.server.failures import (
    AttemptError,
    error_of_connection,
    error_of_deadline,
    error_of_status,
    is_failure_status,
)

__all__ = ["EVENT_STREAM", "UpstreamAttempt"]

EVENT_STREAM = "text/event-stream"
_LARGE_BODY = 1 << 20  # bytes; aiohttp writes larger bodies in pieces only if they are files


class UpstreamAttempt:
    """From the router's choice (`attempt`) to `finish`, which reports the result once.

    `read_ahead`: bytes of the response that were read before its request takes it over.
    """

    def __init__(
        self,
        context: GatewayContext,
        attempt: RoutedAttempt,
        call: RoutedCall,
        span: Span | None,
        headers: dict[str, str],
        deadline: float,
        total_at: float,
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._context = context
        self._call = call
        self._span: Span | None = None
        self._finished = False
        self._headers = headers
        if span is not None:
            self._headers = dict(headers)
            self._span = context.tracing.attempt(span, attempt, call, self._headers)
        self.attempt = attempt
        self.read_ahead = b""
        self.response: aiohttp.ClientResponse | None = None
        self.deadlines = AttemptDeadlines(task, attempt, deadline, total_at)
        context.deadlines.add(self.deadlines)

    async def open(self, path: str, body: bytes) -> aiohttp.ClientResponse:
        """Sends the request. Returns when the response headers have arrived."""
        data = body if len(body) < _LARGE_BODY else BytesIO(body)
        self.response = await self._context.post(self.attempt.replica.name, path, data, self._headers)
        return self.response

    async def open_to_first_token(self, path: str, body: bytes, scratch: AnswerStream) -> AttemptError | None:
        """In a task of its own: `open`, then read up to the first token or the end. Returns None for success.

        `scratch` parses what is read, to recognise the first token.
        """
        task = asyncio.current_task()
        assert task is not None
        self.deadlines.task = task
        try:
            response = await self.open(path, body)
            if is_failure_status(response.status):
                return error_of_status(response.status, await response.read(), response.headers)
            framer = Framer()
            while response.status == 200 and response.content_type == EVENT_STREAM:
                data = await response.content.readany()
                self.read_ahead += data
                whole = framer.push(data)
                if whole:
                    scratch.feed(whole)
                if not data or scratch.first_token or scratch.done or scratch.error is not None:
                    break
        except asyncio.CancelledError:
            if not self.deadlines.caused_cancellation():
                raise
            return error_of_deadline(self.deadlines)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return error_of_connection(error, self.response is not None)
        return None

    def take_over(self) -> None:
        """After a won race: the deadlines now interrupt the task of the request."""
        task = asyncio.current_task()
        assert task is not None
        self.deadlines.task, self.deadlines.expired = task, ""

    def fail(self, error: AttemptError) -> None:
        """The attempt failed while another one of the same call goes on."""
        self._call.failed_on.append(self.attempt.replica.name)
        self.finish(error, 0, 0)

    def finish(self, error: AttemptError | None, tokens: int, passed_on: int) -> None:
        """Reports the result to router and span; further calls change nothing.

        `error` None: success. `tokens`: received. `passed_on`: those of them that went to the client.
        """
        if self._finished:
            return
        self._finished = True
        context, attempt, response = self._context, self.attempt, self.response
        context.deadlines.remove(self.deadlines)
        if response is not None and (error is not None or not response.content.at_eof()):
            response.close()
        status = response.status if response is not None else 0
        if error is not None:
            result = AttemptResult(
                error.outcome, tokens, error.retry_after_s, error.connection_lost, lost_race=error.lost_race
            )
        else:
            result = AttemptResult(Outcome.HTTP_4XX if status >= 400 else Outcome.OK, tokens)
        context.router.observe(context.loop.time(), attempt, result)
        context.report_changes()
        if self._span is None:
            return
        about: dict[str, str | int | float] = {a.TOKENS_PASSED_ON: passed_on}
        if status:
            about[a.HTTP_STATUS] = status
        if attempt.first_token_at is not None:
            about[a.RESPONSE_TTFC] = attempt.first_token_at - attempt.started_at
        context.tracing.end(self._span, result.outcome, about, error.why if error is not None else "")
