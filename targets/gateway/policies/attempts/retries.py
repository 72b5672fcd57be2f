"""After a failed attempt: again, and at once or after a pause, or not.

Three ways on, each with its own limit: a *resend* after a lost connection (at once), a *retry* after an error answer or
a timeout (within the budget, after a backoff), and after the first token a *migration* only. The caller's own mistake
is never sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from reports.shared.attributes import Outcome
from targets.gateway.config import Migration, Retries
from targets.gateway.policies.attempts.backoff import backoff_s
from targets.gateway.policies.attempts.migration import refuses
from targets.gateway.policies.attempts.retry_budget import Budget

__all__ = ["Again", "GiveUp", "RetryScope", "Spent"]

_LOST = frozenset({Outcome.REFUSED, Outcome.RESET})
_RETRIABLE = _LOST | {
    Outcome.TIMEOUT,
    Outcome.RATE_LIMITED,
    Outcome.HTTP_5XX,
    Outcome.ERROR_EVENT,
    Outcome.STALLED,
    Outcome.CORRUPT,
    Outcome.TRUNCATED,
}


@dataclass(slots=True)
class Spent:
    """What one call has used up."""

    retries: int = 0
    resends: int = 0
    migrations: int = 0
    holds_budget: bool = False  # a place among the active retries


@dataclass(frozen=True, slots=True)
class Again:
    """Make another attempt, after `pause_s`."""

    reason: str  # "retry" or "migration"
    why: str
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No further attempt; `why` in words."""

    why: str


class RetryScope:
    """The rule, with the budget of one gateway."""

    def __init__(self, retries: Retries | None, migration: Migration | None, rng: Random) -> None:
        self._retries = retries
        self._migration = migration
        self._rng = rng
        self.budget = Budget(retries.budget) if retries is not None and retries.budget is not None else None

    def next(
        self, now: float, spent: Spent, outcome: Outcome, *, passed_on: bool, lost: bool, in_flight: int
    ) -> Again | GiveUp:
        """What follows an attempt that ended in `outcome`.

        `passed_on`: the client has tokens. `lost`: its connection ended too soon, or the replica fell silent.
        """
        if outcome not in _RETRIABLE:
            return GiveUp("the answer is the caller's")
        if passed_on:
            return self._migrate(spent, outcome)
        if self._retries is None:
            return GiveUp("retries are off")
        if (outcome in _LOST or lost) and self._retries.max_resends:
            if spent.resends >= self._retries.max_resends:
                return GiveUp(f"lost its connection {spent.resends + 1} times")
            spent.resends += 1
            return Again("retry", f"{outcome}: resend {spent.resends} of {self._retries.max_resends}")
        return self._retry(now, spent, outcome, in_flight)

    def close(self, spent: Spent) -> None:
        """The call ended, or goes on by other means: its place in the budget is free."""
        if self.budget is not None and spent.holds_budget:
            self.budget.done()
        spent.holds_budget = False

    def _retry(self, now: float, spent: Spent, outcome: Outcome, in_flight: int) -> Again | GiveUp:
        assert self._retries is not None
        if spent.retries >= self._retries.max_retries:
            return GiveUp(f"{spent.retries} retries failed as well")
        if self.budget is not None:
            self.close(spent)  # the retry before this one ended
            refusal = self.budget.withdraw(now, in_flight)
            if refusal is not None:
                return GiveUp(refusal)
            spent.holds_budget = True
        spent.retries += 1
        pause_s = 0.0 if outcome is Outcome.RATE_LIMITED else backoff_s(self._retries.backoff, spent.retries, self._rng)
        return Again("retry", f"{outcome}: retry {spent.retries} of {self._retries.max_retries}", pause_s)

    def _migrate(self, spent: Spent, outcome: Outcome) -> Again | GiveUp:
        most = self._retries.max_resends if self._retries is not None else 0
        if outcome is Outcome.REFUSED and self._migration is not None and spent.resends < most:
            spent.resends += 1  # nothing reached it, so nothing moved
            return Again("migration", f"{outcome}: resend {spent.resends} of {most}")
        refusal = refuses(self._migration, spent.migrations)
        if refusal is not None or self._migration is None:
            return GiveUp(refusal or "")
        spent.migrations += 1
        return Again("migration", f"{outcome}: migration {spent.migrations} of {self._migration.max_per_call}")
