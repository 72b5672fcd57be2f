"""What the balancing policies have in common: they pick one of several candidates."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Protocol, TypeVar

from targets.gateway.policies.peak_ewma import PeakEwma

__all__ = ["Balancer", "Candidate"]


class Candidate(Protocol):
    """A replica as a balancing policy sees it."""

    @property
    def name(self) -> str: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def latency(self) -> PeakEwma: ...


C = TypeVar("C", bound=Candidate)


class Balancer(Protocol):
    """Picks one. `candidates` is never empty, and in the same order each time."""

    def pick(self, now: float, candidates: Sequence[C], rng: Random) -> C: ...

    def load(self, now: float, candidate: Candidate) -> float:
        """What it compares: less is better."""
        ...
