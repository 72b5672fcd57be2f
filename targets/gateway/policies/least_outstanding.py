"""Least outstanding requests: the one with the fewest in flight, ties by lot."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from targets.gateway.policies.balancing import C, Candidate

__all__ = ["LeastOutstanding"]


class LeastOutstanding:
    """Load is the requests in flight."""

    def pick(self, now: float, candidates: Sequence[C], rng: Random) -> C:
        fewest = min(candidate.in_flight for candidate in candidates)
        ties = [candidate for candidate in candidates if candidate.in_flight == fewest]
        return ties[int(rng.random() * len(ties))]

    def load(self, now: float, candidate: Candidate) -> float:
        return float(candidate.in_flight)
