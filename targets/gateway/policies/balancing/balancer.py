"""What the balancing policies have in common: each picks one of several candidates."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Protocol, TypeVar

from targets.gateway.config import Upstream
from targets.gateway.policies.balancing.forecast import CallSize
from targets.gateway.policies.balancing.peak_ewma import PeakEwma

__all__ = ["Balancer", "Candidate", "least_loaded"]


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
    def outstanding_work_s(self) -> float:
        """Predicted engine time (seconds) of the requests in flight."""
        ...

    @property
    def step_load_s(self) -> float:
        """Predicted seconds that the sequences in flight add to a decode step."""
        ...

    @property
    def waiting_prefill_s(self) -> float:
        """Predicted prefill (seconds) of the requests that wait for their first token."""
        ...

    @property
    def reported_load(self) -> float | None:
        """Requests running and waiting by its latest report; None: no report yet."""
        ...

    def weight(self, now: float) -> float:
        """Its share of a full replica's load, above 0 and at most 1 (slow start)."""
        ...


C = TypeVar("C", bound=Candidate)


class Balancer(Protocol):
    """A balancing policy. `candidates` is never empty, and always in the same order."""

    def pick(self, now: float, candidates: Sequence[C], rng: Random, size: CallSize) -> C: ...

    def load(self, now: float, candidate: Candidate) -> float:
        """The load that the policy compares; the lowest wins."""
        ...


def least_loaded(candidates: Sequence[C], loads: Sequence[float], rng: Random) -> C:
    """Returns the candidate with the lowest load; ties are drawn at random."""
    least = min(loads)
    ties = [candidate for candidate, load in zip(candidates, loads, strict=True) if load == least]
    return ties[0] if len(ties) == 1 else ties[int(rng.random() * len(ties))]
