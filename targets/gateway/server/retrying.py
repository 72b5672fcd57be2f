"""Drives the attempts of one request with tenacity. Its retry, stop and wait follow the decisions of our policies.

A failed attempt raises `RetryDecisionError` with the next step. A request that must wait for a replica raises
`WaitForReplicaError`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tenacity import AsyncRetrying, RetryCallState
from tenacity.retry import retry_base
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from reports.shared.attributes import Outcome
from targets.gateway.policies.attempts.retries import GiveUp, NextAttempt

__all__ = ["ErrorResponse", "RetryDecisionError", "WaitForReplicaError", "run_attempts"]


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """The latest error response of a replica. The client gets it if no other attempt succeeds."""

    status: int
    body: bytes
    headers: dict[str, str]


class RetryDecisionError(Exception):
    """An attempt failed, and the policies have decided on the next step."""

    def __init__(
        self, outcome: Outcome, next_step: NextAttempt | GiveUp, response: ErrorResponse | None, why: str
    ) -> None:
        super().__init__(why)
        self.outcome = outcome
        self.next_step = next_step
        self.response = response
        self.why = why


class WaitForReplicaError(Exception):
    """No replica is available now. Try again after `delay_s`."""

    def __init__(self, delay_s: float) -> None:
        super().__init__(f"no replica is available for {delay_s:.3f} s")
        self.delay_s = delay_s


class _RetryAsDecided(retry_base):
    def __call__(self, retry_state: RetryCallState) -> bool:
        return isinstance(_failure(retry_state), (RetryDecisionError, WaitForReplicaError))


class _StopAsDecided(stop_base):
    def __call__(self, retry_state: RetryCallState) -> bool:
        failure = _failure(retry_state)
        return isinstance(failure, RetryDecisionError) and isinstance(failure.next_step, GiveUp)


class _WaitAsDecided(wait_base):
    def __call__(self, retry_state: RetryCallState) -> float:
        failure = _failure(retry_state)
        if isinstance(failure, WaitForReplicaError):
            return failure.delay_s
        if isinstance(failure, RetryDecisionError) and isinstance(failure.next_step, NextAttempt):
            return failure.next_step.pause_s
        return 0.0


def _failure(retry_state: RetryCallState) -> BaseException | None:
    return retry_state.outcome.exception() if retry_state.outcome is not None and retry_state.outcome.failed else None


_RETRY, _STOP, _WAIT = _RetryAsDecided(), _StopAsDecided(), _WaitAsDecided()


async def run_attempts(attempt: Callable[[], Awaitable[None]], sleep: Callable[[float], Awaitable[None]]) -> None:
    """Makes attempts until one succeeds. Raises the last `RetryDecisionError` when the policies give up."""
    retrying = AsyncRetrying(retry=_RETRY, stop=_STOP, wait=_WAIT, sleep=sleep, reraise=True)
    await retrying(attempt)
