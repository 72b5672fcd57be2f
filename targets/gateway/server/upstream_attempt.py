"""One attempt of an exchange under way at one replica: its span, its watch, its connection, its end."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import TYPE_CHECKING

import aiohttp
from opentelemetry.trace import Span

from reports.shared import attributes as a
from reports.shared.attributes import Outcome
from targets.gateway.api.answer import AnswerStream
from targets.gateway.api.sse import Framer
from targets.gateway.routing.decisions import Attempt, Call, Ended
from targets.gateway.server.deadlines import Watch
from targets.gateway.server.failures import DeadError, broken, interrupted, refused, refuses

if TYPE_CHECKING:
    from targets.gateway.server.server import GatewayServer

__all__ = ["EVENT_STREAM", "Leg"]

EVENT_STREAM = "text/event-stream"
_LARGE_BODY = 1 << 20  # aiohttp wants those as a file, to write them piece by piece


class Leg:
    """From the router's choice (`attempt`) to `settle`, which counts once.

    `ahead`: what was read of the answer before its exchange takes it over.
    """

    def __init__(
        self,
        gateway: GatewayServer,
        attempt: Attempt,
        call: Call,
        span: Span | None,
        headers: dict[str, str],
        deadline: float,
        total_at: float,
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._gateway = gateway
        self._call = call
        self._span: Span | None = None
        self._settled = False
        self._headers = headers
        if span is not None:
            self._headers = dict(headers)
            self._span = gateway.tracing.attempt(span, attempt, call, self._headers)
        self.attempt = attempt
        self.ahead = b""
        self.response: aiohttp.ClientResponse | None = None
        self.watch = Watch(task, attempt, deadline, total_at)
        gateway.sweeper.add(self.watch)

    async def open(self, path: str, body: bytes) -> aiohttp.ClientResponse:
        """Sends the request; returns once the answer's headers are there."""
        data = body if len(body) < _LARGE_BODY else BytesIO(body)
        self.response = await self._gateway.post(self.attempt.replica.name, path, data, self._headers)
        return self.response

    async def lead(self, path: str, body: bytes, scratch: AnswerStream) -> DeadError | None:
        """`open`, and read on to the first token (or whatever else decides), in a task of its own. None: it is there.

        `scratch` is fed what is read, to know a first token when it comes.
        """
        task = asyncio.current_task()
        assert task is not None
        self.watch.task = task
        try:
            response = await self.open(path, body)
            if refuses(response.status):
                return refused(response.status, await response.read(), response.headers)
            framer = Framer()
            while response.status == 200 and response.content_type == EVENT_STREAM:
                data = await response.content.readany()
                self.ahead += data
                whole = framer.push(data)
                if whole:
                    scratch.feed(whole)
                if not data or scratch.first_token or scratch.done or scratch.error is not None:
                    break
        except asyncio.CancelledError:
            if not self.watch.was_it():
                raise
            return interrupted(self.watch)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return broken(error, self.response is not None)
        return None

    def take_over(self) -> None:
        """It won: the caller's task goes on with it."""
        task = asyncio.current_task()
        assert task is not None
        self.watch.task, self.watch.fired = task, ""

    def fall(self, dead: DeadError) -> None:
        """It died while another is under way."""
        self._call.failed_on.append(self.attempt.replica.name)
        self.settle(dead, 0, 0)

    def settle(self, dead: DeadError | None, tokens: int, passed_on: int) -> None:
        """The attempt is over; None: it went well. `tokens`: received; `passed_on`: of them, to the client."""
        if self._settled:
            return
        self._settled = True
        gateway, attempt, response = self._gateway, self.attempt, self.response
        gateway.sweeper.remove(self.watch)
        if response is not None and (dead is not None or not response.content.at_eof()):
            response.close()
        outcome = dead.outcome if dead is not None else Outcome.OK
        status = response.status if response is not None else 0
        if dead is None and status >= 400:
            outcome = Outcome.HTTP_4XX
        retry_after_s = dead.retry_after_s if dead is not None else None
        ended = Ended(outcome, tokens, retry_after_s, dead is not None and dead.lost, dead is not None and dead.outrun)
        gateway.router.observe(gateway.loop.time(), attempt, ended)
        gateway.announce()
        if self._span is None:
            return
        about: dict[str, str | int | float] = {a.TOKENS_PASSED_ON: passed_on}
        if status:
            about[a.HTTP_STATUS] = status
        if attempt.first_token_at is not None:
            about[a.RESPONSE_TTFC] = attempt.first_token_at - attempt.started_at
        gateway.tracing.end(self._span, outcome, about, dead.why if dead is not None else "")
