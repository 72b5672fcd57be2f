"""One request at the entrance: the shell around `entrance`. It waits for a place, or is refused in its API's words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import ceil

from opentelemetry.trace import Span

from reports.shared.attributes import Outcome
from reports.shared.tenancy import Account
from targets.gateway.policies.attempts.retries import GiveUp
from targets.gateway.policies.overload.admission import Refused
from targets.gateway.policies.overload.degradation import Degraded
from targets.gateway.routing.admission import Admitted, Ask, Entrance, Held
from targets.gateway.routing.decisions import Decision
from targets.gateway.server.retrying import AttemptFailedError, Refusal
from targets.gateway.telemetry.tracing import Tracing

__all__ = ["Visit"]


class Visit:
    """`enter` first; `started` when the first attempt starts; `over` at the end, whatever happened."""

    def __init__(
        self, entrance: Entrance, loop: asyncio.AbstractEventLoop, tracing: Tracing, span: Span | None
    ) -> None:
        self._entrance = entrance
        self._loop = loop
        self._tracing = tracing
        self._span = span
        self._admitted: Admitted | None = None
        self._prompt_tokens = 0
        self._error_body: Callable[[int, str], bytes]
        self._told: Admitted | Refused | None = None  # of one that was held
        self._wake: asyncio.Event | None = None

    async def enter(
        self,
        account: Account,
        raw: bytes,
        prompt_tokens: int,
        max_tokens: int | None,
        prefill_s: float,
        error_body: Callable[[int, str], bytes],
    ) -> Degraded | None:
        """Waits until it may go; returns what it gets instead of what it asked for.

        Raises `AttemptFailedError` with the refusal. A request that comes again is known by its tenant and its body.
        """
        self._prompt_tokens = prompt_tokens
        self._error_body = error_body
        now = self._loop.time()
        ask = Ask(account, prompt_tokens, max_tokens, lambda: hash((account.tenant, raw)), prefill_s)
        answer = self._entrance.ask(now, ask, self._tell)
        admitted = self._judge(await self._held(answer, now) if isinstance(answer, Held) else answer)
        degraded = admitted.degraded
        if degraded is not None:
            self._note(f"{admitted.ticket.who} gets less: {degraded.header}")
        return degraded

    async def again(self) -> None:
        """Before a further attempt: waits while no replica is there at all. Raises as `enter`."""
        admitted = self._admitted
        if admitted is None:
            return
        now = self._loop.time()
        held = self._entrance.again(now, admitted, self._tell)
        if held is not None:
            self._admitted = None
            self._judge(await self._held(held, now))

    def started(self) -> None:
        """Its first attempt starts. Further calls change nothing."""
        if self._admitted is not None:
            self._entrance.started(self._admitted)

    def first_token(self) -> None:
        """Its first token came: a place may be free."""
        self._entrance.pump(self._loop.time())

    def over(self, output_tokens: int) -> None:
        """It ended, and the client has so many tokens."""
        if self._admitted is not None:
            self._entrance.settled(self._loop.time(), self._admitted, self._prompt_tokens, output_tokens)
            self._admitted = None

    def _judge(self, answer: Admitted | Refused) -> Admitted:
        if isinstance(answer, Refused):
            self._note(answer.why)
            raise _failure(answer, self._error_body)
        self._admitted = answer
        return answer

    def _tell(self, answer: Admitted | Refused) -> None:
        self._told = answer
        if self._wake is not None:
            self._wake.set()

    async def _held(self, held: Held, since: float) -> Admitted | Refused:
        self._wake = asyncio.Event()
        try:
            if self._told is None:
                await self._wake.wait()
        except asyncio.CancelledError:
            if isinstance(self._told, Admitted):
                self._entrance.settled(self._loop.time(), self._told, 0, 0)
            elif self._told is None:
                self._entrance.left(self._loop.time(), held)
            raise
        answer, self._told = self._told, None
        assert answer is not None
        if isinstance(answer, Admitted):
            self._note(f"{held.ticket.who} waited {self._loop.time() - since:.3f} s in the queue")
        return answer

    def _note(self, why: str) -> None:
        if self._span is not None:
            self._tracing.decision(self._span, Decision((), (), why), "")


def _failure(refused: Refused, error_body: Callable[[int, str], bytes]) -> AttemptFailedError:
    headers = {"Content-Type": "application/json"}
    said = refused.why
    if refused.retry_after_s is not None:
        seconds = max(1, ceil(refused.retry_after_s))
        headers["Retry-After"] = str(seconds)
        said += f"; try again in {seconds} s"
    if not refused.again:
        headers["x-should-retry"] = "false"
    refusal = Refusal(refused.status, error_body(refused.status, said), headers)
    outcome = Outcome.RATE_LIMITED if refused.status == 429 else Outcome.HTTP_5XX
    return AttemptFailedError(outcome, GiveUp(refused.why), refusal, refused.why)
