"""Least outstanding requests: the one with the fewest in flight, ties by lot."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from targets.gateway.policies.balancing.balancing import C, Candidate, idlest
from targets.gateway.policies.balancing.forecast import Ask

__all__ = ["LeastOutstanding"]


class LeastOutstanding:
    """Load is the requests in flight; one in slow start is compared with those that it would have, by its weight."""

    def pick(self, now: float, candidates: Sequence[C], rng: Random, ask: Ask) -> C:
        loads = []
        for candidate in candidates:
            weight = candidate.weight(now)
            loads.append(candidate.in_flight if weight == 1.0 else (candidate.in_flight + 1) / weight - 1)
        return idlest(candidates, loads, rng)

    def load(self, now: float, candidate: Candidate) -> float:
        return float(candidate.in_flight)
