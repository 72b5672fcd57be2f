"""Selects a replica among the eligible ones: the session's home, the next one on the ring, the probe of a half-open
breaker, or the balancing policy's choice. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from random import Random

from targets.gateway.config import GatewayPolicies
from targets.gateway.policies.balancing.affinity import SessionAffinity
from targets.gateway.policies.balancing.forecast import CallSize
from targets.gateway.policies.balancing.registry import BALANCERS
from targets.gateway.policies.balancing.spillover import PoolSteps
from targets.gateway.policies.health.breaker import BreakerState
from targets.gateway.routing.decisions import RoutedCall
from targets.gateway.routing.replica_state import ReplicaState

__all__ = ["PLACEMENTS", "ReplicaSelection"]


class ReplicaSelection:
    """Affinity, spillover and balancing of one gateway."""

    def __init__(self, policies: GatewayPolicies, replicas: Mapping[str, ReplicaState], rng: Random) -> None:
        self._policies = policies
        self._replicas = replicas
        self._rng = rng
        self.balancer = BALANCERS[policies.balancing.kind](policies.balancing)
        self.affinity = SessionAffinity(policies.affinity, list(replicas)) if policies.affinity is not None else None
        upstreams = [replica.upstream for replica in replicas.values()]
        self._steps = PoolSteps(policies.spillover, upstreams) if policies.spillover is not None else None

    def use_balancing(self, policies: GatewayPolicies) -> None:
        """Balance by these policies from now on; sessions keep their homes."""
        self._policies = policies
        self.balancer = BALANCERS[policies.balancing.kind](policies.balancing)

    def pick(
        self, now: float, call: RoutedCall, size: CallSize, allowed: Sequence[ReplicaState], in_flight: int
    ) -> tuple[ReplicaState, str]:
        """Returns one of `allowed`, and why. `in_flight`: attempts running at all replicas."""
        affinity = self.affinity
        if affinity is None or not call.key:
            return self._probe_or_balance(now, call, size, allowed)
        home = affinity.home(now, call.key)
        cap = affinity.cap(in_flight, len(allowed))
        below_cap = [
            r for r in allowed if r.in_flight < (cap if r.readmitted_at is None else ceil(cap * r.weight(now)))
        ] or allowed
        if home is None:
            why = "new session"
        else:
            at_home = self._replicas[home.replica]
            if at_home in below_cap:
                return at_home, "home of its session"
            why = f"its home {home.replica} is full" if at_home in allowed else f"its home {home.replica} is excluded"
        chosen, how = PLACEMENTS[affinity.placement](self, now, call, size, below_cap)
        return chosen, f"{why}: {how}"

    def with_home(
        self, now: float, call: RoutedCall, placed: list[ReplicaState], allowed: list[ReplicaState]
    ) -> list[ReplicaState]:
        """Returns `placed` (those of `allowed` below their limits), and the session's home if waiting there costs less.

        Elsewhere the whole prompt is computed again. When all places are taken, sessions that move to the next free
        place would evict the cached prefixes that the fleet needs to reduce its load.
        """
        affinity = self.affinity
        if affinity is None or not affinity.over_limit or len(placed) == len(allowed) or not call.key:
            return placed
        home = affinity.home(now, call.key)
        at_home = self._replicas[home.replica] if home is not None else None
        if home is None or at_home is None or at_home in placed or at_home not in allowed:
            return placed
        prompt = call.prompt_tokens + call.offset
        missing = max(0, prompt - home.cached_tokens)
        stays_s = at_home.waiting_prefill_s + missing * at_home.upstream.prefill_us_per_token * 1e-6
        moves_s = min(other.waiting_prefill_s + prompt * other.upstream.prefill_us_per_token * 1e-6 for other in placed)
        return [r for r in allowed if r in placed or r is at_home] if stays_s <= moves_s else placed

    def pick_hedge(self, now: float, size: CallSize, others: Sequence[ReplicaState]) -> ReplicaState:
        """Returns one of `others` for a second attempt, by load alone."""
        return self.balancer.pick(now, others, self._rng, size)

    def cached_tokens(self, now: float, call: RoutedCall, replica: ReplicaState) -> int:
        """Tokens of the call's session that `replica` should have cached."""
        if self.affinity is None or not call.key:
            return 0
        home = self.affinity.home(now, call.key)
        return home.cached_tokens if home is not None and home.replica == replica.name else 0

    def _next_on_ring(
        self, now: float, call: RoutedCall, size: CallSize, candidates: Sequence[ReplicaState]
    ) -> tuple[ReplicaState, str]:
        if self.affinity is None or any(_half_open(replica) for replica in candidates):
            return self._probe_or_balance(now, call, size, candidates)
        return self.affinity.walk(call.key, candidates), "next on the ring"

    def _probe_or_balance(
        self, now: float, call: RoutedCall, size: CallSize, candidates: Sequence[ReplicaState]
    ) -> tuple[ReplicaState, str]:
        # A half-open breaker learns from real traffic only, and sessions that moved away do not return by themselves.
        for replica in candidates:
            if _half_open(replica):
                return replica, "probe of a half-open breaker"
        if self._steps is not None:
            candidates = self._steps.narrow(candidates)
        return self.balancer.pick(now, candidates, self._rng, size), self._policies.balancing.kind


PLACEMENTS: dict[
    str,
    Callable[
        [ReplicaSelection, float, RoutedCall, CallSize, Sequence[ReplicaState]],
        tuple[ReplicaState, str],
    ],
] = {
    "ring": ReplicaSelection._next_on_ring,
    "balancer": ReplicaSelection._probe_or_balance,
}
"""`affinity.placement` -> how a session without a usable home gets its replica."""


def _half_open(replica: ReplicaState) -> bool:
    breaker = replica.breaker
    return breaker is not None and breaker.state is BreakerState.HALF_OPEN and breaker.admits()
