"""How tenacity drives the attempts of one request: its retry, stop and wait, made of what our policies decided.

An attempt that fails raises `AttemptFailedError` with the router's verdict; a request that has to wait for a replica
raises `HeldError`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tenacity import AsyncRetrying, RetryCallState
from tenacity.retry import retry_base
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from reports.shared.attributes import Outcome
from targets.gateway.policies.attempts.retries import Again, GiveUp

__all__ = ["AttemptFailedError", "HeldError", "Refusal", "drive"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The last error answer of an upstream, to be passed on if no other attempt goes well."""

    status: int
    body: bytes
    headers: dict[str, str]


class AttemptFailedError(Exception):
    """An attempt failed."""

    def __init__(self, outcome: Outcome, verdict: Again | GiveUp, refusal: Refusal | None, why: str) -> None:
        super().__init__(why)
        self.outcome = outcome
        self.verdict = verdict
        self.refusal = refusal
        self.why = why


class HeldError(Exception):
    """No replica can take it now; ask again after `delay_s`."""

    def __init__(self, delay_s: float) -> None:
        super().__init__(f"held for {delay_s:.3f} s")
        self.delay_s = delay_s


class _RetryAsDecided(retry_base):
    def __call__(self, retry_state: RetryCallState) -> bool:
        return isinstance(_failure(retry_state), (AttemptFailedError, HeldError))


class _StopAsDecided(stop_base):
    def __call__(self, retry_state: RetryCallState) -> bool:
        failure = _failure(retry_state)
        return isinstance(failure, AttemptFailedError) and isinstance(failure.verdict, GiveUp)


class _WaitAsDecided(wait_base):
    def __call__(self, retry_state: RetryCallState) -> float:
        failure = _failure(retry_state)
        if isinstance(failure, HeldError):
            return failure.delay_s
        if isinstance(failure, AttemptFailedError) and isinstance(failure.verdict, Again):
            return failure.verdict.pause_s
        return 0.0


def _failure(retry_state: RetryCallState) -> BaseException | None:
    return retry_state.outcome.exception() if retry_state.outcome is not None and retry_state.outcome.failed else None


_RETRY, _STOP, _WAIT = _RetryAsDecided(), _StopAsDecided(), _WaitAsDecided()


async def drive(attempt: Callable[[], Awaitable[None]], sleep: Callable[[float], Awaitable[None]]) -> None:
    """Makes attempts until one goes well. Raises the last `AttemptFailedError` when the policies gave up."""
    retrying = AsyncRetrying(retry=_RETRY, stop=_STOP, wait=_WAIT, sleep=sleep, reraise=True)
    await retrying(attempt)
