"""What follows a failed attempt: another one, at once or after a pause, or none.

Three kinds, each with its own limit: a *resend* after a lost connection (at once); a *retry* after an error response or
a timeout (within the budget, after a backoff); after the first token only a *migration*. A client error is never
retried.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from reports.shared.attributes import Outcome
from targets.gateway.config import Migration, Retries
from targets.gateway.policies.attempts.backoff import backoff_s
from targets.gateway.policies.attempts.migration import why_no_migration
from targets.gateway.policies.attempts.retry_budget import Budget

__all__ = ["RETRIABLE", "GiveUp", "NextAttempt", "RetryScope", "RetryUsage"]

_LOST = frozenset({Outcome.REFUSED, Outcome.RESET})
RETRIABLE = _LOST | {
    Outcome.TIMEOUT,
    Outcome.RATE_LIMITED,
    Outcome.HTTP_5XX,
    Outcome.ERROR_EVENT,
    Outcome.STALLED,
    Outcome.CORRUPT,
    Outcome.TRUNCATED,
}
"""Outcomes after which another attempt may follow."""


@dataclass(slots=True)
class RetryUsage:
    """Retries, resends and migrations that one call has used."""

    retries: int = 0
    resends: int = 0
    migrations: int = 0
    held: Budget | None = None  # the budget in which one of its attempts counts as an active retry


@dataclass(frozen=True, slots=True)
class NextAttempt:
    """Make another attempt, after `pause_s`."""

    reason: str  # "retry" or "migration"
    why: str
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No further attempt. `why`: the reason in words."""

    why: str


class RetryScope:
    """The rules and the retry budget of one gateway."""

    def __init__(self, retries: Retries | None, migration: Migration | None, rng: Random) -> None:
        self._retries = retries
        self._migration = migration
        self._rng = rng
        self.budget = Budget(retries.budget) if retries is not None and retries.budget is not None else None

    def use(self, retries: Retries | None, migration: Migration | None) -> None:
        """Follow these rules from now on. A budget that stays the same keeps its balance."""
        budget = retries.budget if retries is not None else None
        if budget != (self._retries.budget if self._retries is not None else None):
            self.budget = Budget(budget) if budget is not None else None
        self._retries, self._migration = retries, migration

    def next(
        self, now: float, usage: RetryUsage, outcome: Outcome, *, passed_on: bool, connection_lost: bool, in_flight: int
    ) -> NextAttempt | GiveUp:
        """Returns what follows an attempt that ended in `outcome`, and counts it in `usage`.

        `passed_on`: the client already has tokens. `connection_lost`: the connection ended too soon, or the attempt was
        evacuated from a silent replica. `in_flight`: attempts at the gateway, this one included.
        """
        if outcome not in RETRIABLE:
            return GiveUp("not retriable: client error")
        if passed_on:
            return self._migrate(usage, outcome)
        if self._retries is None:
            return GiveUp("retries are off")
        if (outcome in _LOST or connection_lost) and self._retries.max_resends:
            if usage.resends >= self._retries.max_resends:
                return GiveUp(f"connection lost {usage.resends + 1} times")
            usage.resends += 1
            return NextAttempt("retry", f"{outcome}: resend {usage.resends} of {self._retries.max_resends}")
        return self._retry(now, usage, outcome, in_flight)

    def close(self, usage: RetryUsage) -> None:
        """The call ended, or its retry did: it no longer counts as an active retry."""
        if usage.held is not None:
            usage.held.done()
        usage.held = None

    def _retry(self, now: float, usage: RetryUsage, outcome: Outcome, in_flight: int) -> NextAttempt | GiveUp:
        assert self._retries is not None
        if usage.retries >= self._retries.max_retries:
            return GiveUp(f"all {usage.retries} retries failed" if usage.retries else "max_retries is 0: no retry")
        if self.budget is not None:
            self.close(usage)  # the previous retry of this call ended
            refusal = self.budget.withdraw(now, in_flight)
            if refusal is not None:
                return GiveUp(refusal)
            usage.held = self.budget
        usage.retries += 1
        pause_s = 0.0 if outcome is Outcome.RATE_LIMITED else backoff_s(self._retries.backoff, usage.retries, self._rng)
        return NextAttempt("retry", f"{outcome}: retry {usage.retries} of {self._retries.max_retries}", pause_s)

    def _migrate(self, usage: RetryUsage, outcome: Outcome) -> NextAttempt | GiveUp:
        most = self._retries.max_resends if self._retries is not None else 0
        if outcome is Outcome.REFUSED and self._migration is not None and usage.resends < most:
            usage.resends += 1  # the replica got nothing, so that nothing moved
            return NextAttempt("migration", f"{outcome}: resend {usage.resends} of {most}")
        refusal = why_no_migration(self._migration, usage.migrations)
        if refusal is not None or self._migration is None:
            return GiveUp(refusal or "")
        usage.migrations += 1
        return NextAttempt("migration", f"{outcome}: migration {usage.migrations} of {self._migration.max_per_call}")
