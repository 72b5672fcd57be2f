"""Which of those who may gets the call: its session's home, the next on the ring, a half-open breaker's probe, or whom
the balancing policy picks. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from random import Random

from targets.gateway.config import Balancing, GatewayPolicies
from targets.gateway.policies.balancing.affinity import SessionAffinity
from targets.gateway.policies.balancing.balancing import Balancer
from targets.gateway.policies.balancing.cheapest import Cheapest
from targets.gateway.policies.balancing.forecast import Ask
from targets.gateway.policies.balancing.least_outstanding import LeastOutstanding
from targets.gateway.policies.balancing.least_work import LeastWork
from targets.gateway.policies.balancing.p2c import PowerOfTwoChoices
from targets.gateway.policies.balancing.reported_load import ReportedLoad
from targets.gateway.policies.balancing.round_robin import RoundRobin
from targets.gateway.policies.balancing.spillover import Steps
from targets.gateway.policies.health.breaker import BreakerState
from targets.gateway.routing.decisions import Call
from targets.gateway.routing.replica_state import ReplicaState

__all__ = ["BALANCERS", "Placement"]

BALANCERS: dict[str, Callable[[Balancing], Balancer]] = {
    "p2c": lambda _: PowerOfTwoChoices(),
    "round_robin": lambda _: RoundRobin(),
    "least_outstanding": lambda _: LeastOutstanding(),
    "least_work": lambda _: LeastWork(),
    "cheapest": lambda config: Cheapest(config.slo_ttft_s, config.slo_tpot_s),
    "reported_load": lambda config: ReportedLoad(config.cross_check),
}


class Placement:
    """Affinity, order of pools and balancing of one gateway."""

    def __init__(self, policies: GatewayPolicies, replicas: Mapping[str, ReplicaState], rng: Random) -> None:
        self._policies = policies
        self._replicas = replicas
        self._rng = rng
        self.balancer = BALANCERS[policies.balancing.kind](policies.balancing)
        self.affinity = SessionAffinity(policies.affinity, list(replicas)) if policies.affinity is not None else None
        upstreams = [replica.upstream for replica in replicas.values()]
        self._steps = Steps(policies.spillover, upstreams) if policies.spillover is not None else None

    def pick(
        self, now: float, call: Call, ask: Ask, allowed: Sequence[ReplicaState], in_flight: int
    ) -> tuple[ReplicaState, str]:
        """One of `allowed`, and why. `in_flight`: attempts under way at all replicas."""
        affinity = self.affinity
        if affinity is None or not call.key:
            return self._probe_or_balance(now, ask, allowed)
        home = affinity.home(now, call.key)
        cap = affinity.cap(in_flight, len(allowed))
        roomy = [
            r for r in allowed if r.in_flight < (cap if r.back_at is None else ceil(cap * r.weight(now)))
        ] or allowed
        if home is None:
            why = "new session"
        else:
            at_home = self._replicas[home.replica]
            if at_home in roomy:
                return at_home, "home of its session"
            why = f"its home {home.replica} is full" if at_home in allowed else f"its home {home.replica} is out"
        if affinity.placement == "ring" and not any(_half_open(replica) for replica in roomy):
            return affinity.walk(call.key, roomy), f"{why}: next on the ring"
        chosen, how = self._probe_or_balance(now, ask, roomy)
        return chosen, f"{why}: {how}"

    def with_home(
        self, now: float, call: Call, placed: list[ReplicaState], allowed: list[ReplicaState]
    ) -> list[ReplicaState]:
        """`placed` (those of `allowed` with a place), and the session's home where waiting there is the cheaper way.

        Elsewhere the whole prompt is computed anew: under a load that fills the places everywhere, sessions that move
        for the next free one would take from all the caches what they need to come down from it.
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

    def elsewhere(self, now: float, ask: Ask, others: Sequence[ReplicaState]) -> ReplicaState:
        """One of `others` for a second attempt beside the first: by load alone."""
        return self.balancer.pick(now, others, self._rng, ask)

    def cached_tokens(self, now: float, call: Call, replica: ReplicaState) -> int:
        """What `replica` should have cached of the call's session."""
        if self.affinity is None or not call.key:
            return 0
        home = self.affinity.home(now, call.key)
        return home.cached_tokens if home is not None and home.replica == replica.name else 0

    def _probe_or_balance(self, now: float, ask: Ask, candidates: Sequence[ReplicaState]) -> tuple[ReplicaState, str]:
        # A half-open breaker learns from real traffic only, and sessions that moved away do not come back.
        for replica in candidates:
            if _half_open(replica):
                return replica, "probe of a half-open breaker"
        if self._steps is not None:
            candidates = self._steps.narrow(candidates)
        return self.balancer.pick(now, candidates, self._rng, ask), self._policies.balancing.kind


def _half_open(replica: ReplicaState) -> bool:
    breaker = replica.breaker
    return breaker is not None and breaker.state is BreakerState.HALF_OPEN and breaker.admits()
