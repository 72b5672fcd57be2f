"""Balancing by reported load, as in many LLM routers: the replica with the fewest requests running and waiting by its
own metrics (`vllm:num_requests_running`, `vllm:num_requests_waiting`).

Two weaknesses: between two scrapes all calls go to the same replica, and a replica with stale or wrong metrics gets all
calls. With `cross_check` the load of a replica is at least the gateway's own requests in flight there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isfinite
from random import Random

from targets.gateway.policies.balancing.balancer import C, Candidate, least_loaded
from targets.gateway.policies.balancing.forecast import CallSize

__all__ = ["ReportedLoad", "read_load"]

_REQUESTS = re.compile(rb"^vllm:num_requests_(?:running|waiting)(?:\{[^\n]*\})?[ \t]+(\S+)", re.MULTILINE)


class ReportedLoad:
    """Load is the reported requests; without a report, the requests in flight."""

    def __init__(self, cross_check: bool) -> None:
        self._cross_check = cross_check

    def pick(self, now: float, candidates: Sequence[C], rng: Random, size: CallSize) -> C:
        loads = []
        for candidate in candidates:
            weight = candidate.weight(now)
            load = self.load(now, candidate)
            loads.append(load if weight == 1.0 else (load + 1) / weight - 1)
        return least_loaded(candidates, loads, rng)

    def load(self, now: float, candidate: Candidate) -> float:
        if candidate.reported_load is None:
            return float(candidate.in_flight)
        return (
            max(candidate.reported_load, float(candidate.in_flight)) if self._cross_check else candidate.reported_load
        )


def read_load(page: bytes) -> float | None:
    """Returns the requests running and waiting from metrics in Prometheus' text format; None: they are missing, or not
    finite numbers (the format allows `NaN`)."""
    found = _REQUESTS.findall(page)
    try:
        load = sum(float(value) for value in found)
    except ValueError:
        return None
    return load if found and isfinite(load) else None
