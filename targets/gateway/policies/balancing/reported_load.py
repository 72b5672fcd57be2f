"""Balancing by what replicas say of themselves, as many routers for LLMs do: the fewest requests running and waiting
by the replica's own metrics (`vllm:num_requests_running`, `vllm:num_requests_waiting`).

It is as old as the last scrape, so that all go to the same one until the next, and it is believed: a replica whose
metrics stand still, or lie, gets everything. With `cross_check` a replica never counts as less loaded than the
gateway's own requests in flight there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isfinite
from random import Random

from targets.gateway.policies.balancing.balancing import C, Candidate, idlest
from targets.gateway.policies.balancing.forecast import Ask

__all__ = ["ReportedLoad", "read_load"]

_COUNTED = re.compile(rb"^vllm:num_requests_(?:running|waiting)(?:\{[^\n]*\})?[ \t]+(\S+)", re.MULTILINE)


class ReportedLoad:
    """Load is requests as reported; a replica that has reported nothing counts with those in flight."""

    def __init__(self, cross_check: bool) -> None:
        self._cross_check = cross_check

    def pick(self, now: float, candidates: Sequence[C], rng: Random, ask: Ask) -> C:
        loads = []
        for candidate in candidates:
            weight = candidate.weight(now)
            load = self.load(now, candidate)
            loads.append(load if weight == 1.0 else (load + 1) / weight - 1)
        return idlest(candidates, loads, rng)

    def load(self, now: float, candidate: Candidate) -> float:
        if candidate.reported is None:
            return float(candidate.in_flight)
        return max(candidate.reported, float(candidate.in_flight)) if self._cross_check else candidate.reported


def read_load(page: bytes) -> float | None:
    """Requests running and waiting by a page of metrics in Prometheus' text format; None: it does not say, or what it
    says is no number that loads can be compared by (that format knows `NaN`)."""
    found = _COUNTED.findall(page)
    try:
        load = sum(float(value) for value in found)
    except ValueError:
        return None
    return load if found and isfinite(load) else None
