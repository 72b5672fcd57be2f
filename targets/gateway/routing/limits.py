"""Concurrency limits per replica, and client throttling of replicas that reject. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from random import Random

from reports.shared.attributes import Outcome
from targets.gateway.config import GatewayPolicies, Throttling
from targets.gateway.policies.overload.concurrency import excess_wait_s
from targets.gateway.policies.overload.throttling import Throttle
from targets.gateway.routing.decisions import RoutedAttempt
from targets.gateway.routing.replica_state import ReplicaState

__all__ = ["THROTTLE_SCOPES", "ConcurrencyLimits"]

_DROPPED = frozenset({Outcome.TIMEOUT, Outcome.RATE_LIMITED, Outcome.HTTP_5XX})
"""Before the first token, these count as a drop: the replica had no capacity."""

THROTTLE_SCOPES: dict[str, Callable[[ReplicaState], str]] = {
    "replica": lambda replica: replica.name,
    "pool": lambda replica: replica.upstream.pool,
}
"""`throttling.per` -> the name of the replicas that are counted together."""


class ConcurrencyLimits:
    """Limits and throttles of one gateway. Times in seconds on the caller's clock."""

    def __init__(self, policies: GatewayPolicies, replicas: Sequence[ReplicaState], rng: Random) -> None:
        self._concurrency = policies.concurrency
        self._all = replicas
        self._can_wait = policies.queue is not None
        self._panic_spares_refusing = policies.panic is not None and not policies.panic.even_refused
        self._rng = rng
        self.use_throttling(policies.throttling)

    def use_throttling(self, throttling: Throttling | None) -> None:
        """Throttle by these settings from now on, with nothing counted yet; None: do not throttle."""
        shared: dict[str, Throttle] = {}
        for replica in self._all:
            replica.throttle = None
            if throttling is not None:
                scope = THROTTLE_SCOPES[throttling.per](replica)
                replica.throttle = shared.setdefault(scope, Throttle(throttling))

    def below_limit(self, allowed: list[ReplicaState]) -> list[ReplicaState]:
        """Returns the replicas below their limits; all, if none is: retries and migrations are never held back."""
        if self._concurrency is None:
            return allowed
        return [replica for replica in allowed if replica.has_place] or allowed

    def capacity(self, panic: bool) -> tuple[float, int, float]:
        """Returns (places, taken, free) of the replicas that receive requests. Infinite: no limit."""
        if self._concurrency is None:
            return inf, 0, inf
        places = taken = free = 0
        for replica in self._all:
            limit = replica.limit
            if limit is not None and self._receives_requests(replica, panic):
                here, most = replica.places_taken, limit.places
                places += most
                taken += here
                if here < most:
                    free += most - here
        return places, taken, free

    def _receives_requests(self, replica: ReplicaState, panic: bool) -> bool:
        if replica.drained:
            return False
        if panic:
            refuses = self._panic_spares_refusing and replica.refuses_connections
            return not (refuses or (self._can_wait and replica.draining))
        return not (replica.shut_out or replica.draining)

    def throttles_request(self, now: float, replica: ReplicaState) -> bool:
        """Whether client throttling stops this request to `replica` (a random draw)."""
        throttle = replica.throttle
        if throttle is None:
            return False
        probability = throttle.probability(now)
        if probability == 0.0 or self._rng.random() >= probability:
            return False
        throttle.refused(now)
        return True

    def first_token(self, now: float, attempt: RoutedAttempt, streamed: bool) -> None:
        """A response began. Not `streamed`: it arrived at once, so that its time is not a time to first token."""
        replica = attempt.replica
        if replica.throttle is not None:
            replica.throttle.accepted(now)
        if streamed:
            self._sample(now, attempt, False)

    def ended(self, now: float, attempt: RoutedAttempt, outcome: Outcome) -> None:
        """An attempt ended. Call it while the attempt still counts as in flight."""
        if attempt.first_token_at is not None:
            return
        throttle = attempt.replica.throttle
        if outcome in _DROPPED:
            if throttle is not None:
                throttle.refused(now)
            self._sample(now, attempt, True)
        elif outcome is Outcome.HTTP_4XX and throttle is not None:
            throttle.accepted(now)

    def _sample(self, now: float, attempt: RoutedAttempt, dropped: bool) -> None:
        replica = attempt.replica
        if replica.limit is not None and self._concurrency is not None:
            waited = excess_wait_s(self._concurrency, now - attempt.started_at, attempt.prefill_s)
            replica.limit.sample(now, waited, replica.places_taken, dropped)
