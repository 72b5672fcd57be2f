"""What the balancing policies have in common: they pick one of several candidates."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Protocol, TypeVar

from targets.gateway.config import Upstream
from targets.gateway.policies.balancing.forecast import Ask
from targets.gateway.policies.balancing.peak_ewma import PeakEwma

__all__ = ["Balancer", "Candidate", "idlest"]


class Candidate(Protocol):
    """A replica as a balancing policy sees it."""

    @property
    def name(self) -> str: ...
    @property
    def upstream(self) -> Upstream: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def latency(self) -> PeakEwma: ...
    @property
    def owed_s(self) -> float:
        """Predicted engine time of what is in flight there."""
        ...

    @property
    def step_load_s(self) -> float:
        """What the sequences in flight there add to a decode step, predicted."""
        ...

    @property
    def waiting_prefill_s(self) -> float:
        """Predicted prefill of the requests that wait for their first token there."""
        ...

    @property
    def reported(self) -> float | None:
        """Requests running and waiting, as it said last; None: it has not."""
        ...

    def weight(self, now: float) -> float:
        """Its share of a full replica's load, above 0 and at most 1 (slow start)."""
        ...


C = TypeVar("C", bound=Candidate)


class Balancer(Protocol):
    """Picks one. `candidates` is never empty, and in the same order each time."""

    def pick(self, now: float, candidates: Sequence[C], rng: Random, ask: Ask) -> C: ...

    def load(self, now: float, candidate: Candidate) -> float:
        """What it compares: less is better."""
        ...


def idlest(candidates: Sequence[C], loads: Sequence[float], rng: Random) -> C:
    """The one with the least load, ties by lot."""
    least = min(loads)
    ties = [candidate for candidate, load in zip(candidates, loads, strict=True) if load == least]
    return ties[0] if len(ties) == 1 else ties[int(rng.random() * len(ties))]
