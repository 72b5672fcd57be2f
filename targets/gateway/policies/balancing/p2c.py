"""Power of two choices on peak EWMA (Finagle): of two replicas drawn at random, the one with less load."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from targets.gateway.policies.balancing.balancer import C, Candidate
from targets.gateway.policies.balancing.forecast import CallSize

__all__ = ["PowerOfTwoChoices"]


class PowerOfTwoChoices:
    """Load is `peak EWMA of the time to first token x (in flight + 1)`, seconds, divided by the weight (slow start)."""

    def pick(self, now: float, candidates: Sequence[C], rng: Random, size: CallSize) -> C:
        count = len(candidates)
        if count == 1:
            return candidates[0]
        first = int(rng.random() * count)
        second = int(rng.random() * (count - 1))
        if second >= first:
            second += 1
        one, other = candidates[first], candidates[second]
        return one if _load(now, one) <= _load(now, other) else other

    def load(self, now: float, candidate: Candidate) -> float:
        return candidate.latency.cost(now) * (candidate.in_flight + 1)


def _load(now: float, candidate: Candidate) -> float:
    return candidate.latency.load(now, candidate.in_flight) / candidate.weight(now)
