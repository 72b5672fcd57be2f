"""Round robin: each in turn."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from targets.gateway.policies.balancing.balancing import C, Candidate
from targets.gateway.policies.balancing.forecast import Ask

__all__ = ["RoundRobin"]


class RoundRobin:
    """Counts on through the candidates of each decision; load is the requests in flight. One in slow start gives up
    its turn with probability 1 - weight."""

    def __init__(self) -> None:
        self._turn = -1

    def pick(self, now: float, candidates: Sequence[C], rng: Random, ask: Ask) -> C:
        for _ in candidates:
            self._turn += 1
            candidate = candidates[self._turn % len(candidates)]
            weight = candidate.weight(now)
            if weight == 1.0 or rng.random() < weight:
                break
        return candidate

    def load(self, now: float, candidate: Candidate) -> float:
        return float(candidate.in_flight)
