"""Round robin: each in turn."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from targets.gateway.policies.balancing import C, Candidate

__all__ = ["RoundRobin"]


class RoundRobin:
    """Counts on through the candidates of each decision; load is the requests in flight."""

    def __init__(self) -> None:
        self._turn = -1

    def pick(self, now: float, candidates: Sequence[C], rng: Random) -> C:
        self._turn += 1
        return candidates[self._turn % len(candidates)]

    def load(self, now: float, candidate: Candidate) -> float:
        return float(candidate.in_flight)
