"""Least outstanding requests: the replica with the fewest requests in flight; ties are drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from targets.gateway.policies.balancing.balancer import C, Candidate, least_loaded
from targets.gateway.policies.balancing.forecast import CallSize

__all__ = ["LeastOutstanding"]


class LeastOutstanding:
    """Load is the requests in flight. In slow start they are scaled up by the weight: (n + 1) / weight - 1."""

    def pick(self, now: float, candidates: Sequence[C], rng: Random, size: CallSize) -> C:
        loads = []
        for candidate in candidates:
            weight = candidate.weight(now)
            loads.append(candidate.in_flight if weight == 1.0 else (candidate.in_flight + 1) / weight - 1)
        return least_loaded(candidates, loads, rng)

    def load(self, now: float, candidate: Candidate) -> float:
        return float(candidate.in_flight)
