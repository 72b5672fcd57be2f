"""Where the gateway holds itself back: limits on what a replica has in flight, throttling towards who refuses. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from random import Random

from reports.shared.attributes import Outcome
from targets.gateway.config import GatewayPolicies
from targets.gateway.policies.overload.concurrency import waited_s
from targets.gateway.policies.overload.throttling import Throttle
from targets.gateway.routing.decisions import Attempt
from targets.gateway.routing.replica_state import ReplicaState

__all__ = ["Restraint"]

_NO_ROOM = frozenset({Outcome.TIMEOUT, Outcome.RATE_LIMITED, Outcome.HTTP_5XX})  # before the first token: a drop


class Restraint:
    """Of one gateway. Times in seconds on the caller's clock."""

    def __init__(self, policies: GatewayPolicies, replicas: Sequence[ReplicaState], rng: Random) -> None:
        self._concurrency = policies.concurrency
        self._all = replicas
        self._can_wait = policies.queue is not None
        self._spares = policies.panic is not None and not policies.panic.even_refused
        self._rng = rng
        self.throttles = policies.throttling is not None
        shared: dict[str, Throttle] = {}
        for replica in replicas if policies.throttling is not None else ():
            assert policies.throttling is not None
            name = replica.name if policies.throttling.per == "replica" else replica.upstream.pool
            replica.throttle = shared.setdefault(name, Throttle(policies.throttling))

    def with_place(self, allowed: list[ReplicaState]) -> list[ReplicaState]:
        """Those below their limits; all, where there are none: a retry and a migration are not held back."""
        if self._concurrency is None:
            return allowed
        return [replica for replica in allowed if replica.has_place] or allowed

    def room(self, panic: bool) -> tuple[float, int, float]:
        """(places, those taken, those free), at the replicas that get requests. Infinite: no limit."""
        if self._concurrency is None:
            return inf, 0, inf
        places = taken = free = 0
        for replica in self._all:
            limit = replica.limit
            if limit is not None and self._gets_requests(replica, panic):
                here, most = replica.taken, limit.places
                places += most
                taken += here
                if here < most:
                    free += most - here
        return places, taken, free

    def _gets_requests(self, replica: ReplicaState, panic: bool) -> bool:
        if panic:
            return not ((self._spares and replica.refuses) or (self._can_wait and replica.draining))
        return not (replica.shut_out or replica.draining)

    def withholds(self, now: float, replica: ReplicaState) -> bool:
        """Whether a request that wants to go there is not sent."""
        throttle = replica.throttle
        if throttle is None:
            return False
        probability = throttle.probability(now)
        if probability == 0.0 or self._rng.random() >= probability:
            return False
        throttle.refused(now)
        return True

    def first_token(self, now: float, attempt: Attempt, streamed: bool) -> None:
        """An answer began; not `streamed`: it came as a whole, so its time says little."""
        replica = attempt.replica
        if replica.throttle is not None:
            replica.throttle.accepted(now)
        if streamed:
            self._sample(now, attempt, False)

    def ended(self, now: float, attempt: Attempt, outcome: Outcome) -> None:
        """An attempt ended; to be told while it counts as in flight."""
        if attempt.first_token_at is not None:
            return
        throttle = attempt.replica.throttle
        if outcome in _NO_ROOM:
            if throttle is not None:
                throttle.refused(now)
            self._sample(now, attempt, True)
        elif outcome is Outcome.HTTP_4XX and throttle is not None:
            throttle.accepted(now)

    def _sample(self, now: float, attempt: Attempt, dropped: bool) -> None:
        replica = attempt.replica
        if replica.limit is not None and self._concurrency is not None:
            waited = waited_s(self._concurrency, now - attempt.started_at, attempt.prefill_s)
            replica.limit.sample(now, waited, replica.taken, dropped)
