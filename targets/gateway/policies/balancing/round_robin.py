"""Round robin: each replica in turn."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from targets.gateway.policies.balancing.balancer import C, Candidate
from targets.gateway.policies.balancing.forecast import CallSize

__all__ = ["RoundRobin"]


class RoundRobin:
    """One counter over the candidates of all decisions. Load is the requests in flight. A replica in slow start skips
    its turn with probability 1 - weight."""

    def __init__(self) -> None:
        self._turn = -1

    def pick(self, now: float, candidates: Sequence[C], rng: Random, size: CallSize) -> C:
        for _ in candidates:
            self._turn += 1
            candidate = candidates[self._turn % len(candidates)]
            weight = candidate.weight(now)
            if weight == 1.0 or rng.random() < weight:
                break
        return candidate

    def load(self, now: float, candidate: Candidate) -> float:
        return float(candidate.in_flight)
