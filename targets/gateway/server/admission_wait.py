"""One request's wait for admission: the asyncio shell around `RequestAdmission`.

A refusal becomes an error response in the format of the request's API.
"""

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
from targets.gateway.routing.admission import AdmissionRequest, Admitted, Queued, RequestAdmission
from targets.gateway.routing.decisions import Decision
from targets.gateway.server.retrying import ErrorResponse, RetryDecisionError
from targets.gateway.telemetry.tracing import Tracing

__all__ = ["AdmissionWait", "refusal_error"]


class AdmissionWait:
    """Call `admit` first, `attempt_started` with the first attempt, and `ended` at the end in every case."""

    def __init__(
        self, admission: RequestAdmission, loop: asyncio.AbstractEventLoop, tracing: Tracing, span: Span | None
    ) -> None:
        self._admission = admission
        self._loop = loop
        self._tracing = tracing
        self._span = span
        self._admitted: Admitted | None = None
        self._prompt_tokens = 0
        self._error_body: Callable[[int, str], bytes]
        self._result: Admitted | Refused | None = None  # of a queued request
        self._resolved: asyncio.Event | None = None

    async def admit(
        self,
        account: Account,
        raw: bytes,
        prompt_tokens: int,
        max_tokens: int | None,
        prefill_s: float,
        error_body: Callable[[int, str], bytes],
    ) -> Degraded | None:
        """Waits for admission. Returns the reduced limits if the response is to be degraded.

        Raises `RetryDecisionError` with the error response if refused. A repeated request is recognised by its tenant
        and its body.
        """
        self._prompt_tokens = prompt_tokens
        self._error_body = error_body
        now = self._loop.time()
        request = AdmissionRequest(account, prompt_tokens, max_tokens, lambda: hash((account.tenant, raw)), prefill_s)
        result = self._admission.admit(now, request, self._notify)
        admitted = self._accept(await self._dequeue(result, now) if isinstance(result, Queued) else result)
        degraded = admitted.degraded
        if degraded is not None:
            self._trace(f"{admitted.ticket.label} degraded: {degraded.header}")
        return degraded

    async def wait_before_retry(self) -> None:
        """Before a further attempt: waits while no replica is available. Raises as `admit` does."""
        admitted = self._admitted
        if admitted is None:
            return
        now = self._loop.time()
        queued = self._admission.queue_retry(now, admitted, self._notify)
        if queued is not None:
            self._admitted = None
            self._accept(await self._dequeue(queued, now))

    def attempt_started(self) -> None:
        """The first attempt starts. Further calls change nothing."""
        if self._admitted is not None:
            self._admission.attempt_started(self._admitted)

    def first_token(self) -> None:
        """The first token arrived, so that a place may be free for a queued request."""
        self._admission.dispatch(self._loop.time())

    def ended(self, output_tokens: int) -> None:
        """The request ended. `output_tokens`: sent to the client."""
        if self._admitted is not None:
            self._admission.ended(self._loop.time(), self._admitted, self._prompt_tokens, output_tokens)
            self._admitted = None

    def _accept(self, result: Admitted | Refused) -> Admitted:
        if isinstance(result, Refused):
            self._trace(result.why)
            raise refusal_error(result, self._error_body)
        self._admitted = result
        return result

    def _notify(self, result: Admitted | Refused) -> None:
        self._result = result
        if self._resolved is not None:
            self._resolved.set()

    async def _dequeue(self, queued: Queued, since: float) -> Admitted | Refused:
        self._resolved = asyncio.Event()
        try:
            if self._result is None:
                await self._resolved.wait()
        except asyncio.CancelledError:
            if isinstance(self._result, Admitted):
                self._admission.ended(self._loop.time(), self._result, 0, 0)
            elif self._result is None:
                self._admission.abandoned(self._loop.time(), queued)
            raise
        result, self._result = self._result, None
        assert result is not None
        if isinstance(result, Admitted):
            self._trace(f"{queued.ticket.label} waited {self._loop.time() - since:.3f} s in the queue")
        return result

    def _trace(self, why: str) -> None:
        if self._span is not None:
            self._tracing.decision(self._span, Decision((), (), why), "")


def refusal_error(refused: Refused, error_body: Callable[[int, str], bytes]) -> RetryDecisionError:
    """The error response of a request that is refused before any attempt."""
    headers = {"Content-Type": "application/json"}
    message = refused.why
    if refused.retry_after_s is not None:
        seconds = max(1, ceil(refused.retry_after_s))
        headers["Retry-After"] = str(seconds)
        message += f"; try again in {seconds} s"
    if not refused.retriable:
        headers["x-should-retry"] = "false"
    response = ErrorResponse(refused.status, error_body(refused.status, message), headers)
    outcome = Outcome.RATE_LIMITED if refused.status == 429 else Outcome.HTTP_5XX
    return RetryDecisionError(outcome, GiveUp(refused.why), response, refused.why)
