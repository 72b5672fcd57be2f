"""Power of two choices on peak EWMA (Finagle): two drawn at random, the one with less load."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from targets.gateway.policies.balancing import C, Candidate

__all__ = ["PowerOfTwoChoices"]


class PowerOfTwoChoices:
    """Load is `peak EWMA of the time to first token x (in flight + 1)`, seconds."""

    def pick(self, now: float, candidates: Sequence[C], rng: Random) -> C:
        count = len(candidates)
        if count == 1:
            return candidates[0]
        first = int(rng.random() * count)
        second = int(rng.random() * (count - 1))
        if second >= first:
            second += 1
        one, other = candidates[first], candidates[second]
        return one if one.latency.load(now, one.in_flight) <= other.latency.load(now, other.in_flight) else other

    def load(self, now: float, candidate: Candidate) -> float:
        return candidate.latency.cost(now) * (candidate.in_flight + 1)
