"""The part of the timeline about overload: waiting times and shed calls per second."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np

from reports.history.evidence import Evidence
from reports.history.statistics import percentile
from reports.measures.gateway_wait import waits_of
from reports.measures.shed import shed_calls

__all__ = ["pressure"]


def pressure(evidence: Evidence, size: int) -> dict[str, Any]:
    """Waits by the second of arrival (null without arrivals), and calls shed by the second they ended, by tier."""
    gateway: list[list[float]] = [[] for _ in range(size)]
    queue: list[list[float]] = [[] for _ in range(size)]
    for call in evidence.calls.calls:
        for arrival_s, wait_s in waits_of(evidence, call):
            gateway[_second(arrival_s, size)].append(wait_s)
        for request in call.replica_requests:
            if request.queue_s is not None:
                queue[_second(request.start_s, size)].append(request.queue_s)
    shed: dict[str, list[int]] = defaultdict(lambda: [0] * size)
    for index in np.flatnonzero(shed_calls(evidence)):
        call = evidence.calls.calls[index]
        shed[call.tier][_second(call.end_s, size)] += 1
    return {
        "gateway_wait_p95_s": [_p95(waits) for waits in gateway],
        "replica_queue_p95_s": [_p95(waits) for waits in queue],
        "shed": [{"tier": tier, "counts": counts} for tier, counts in sorted(shed.items())],
    }


def _second(at_s: float, size: int) -> int:
    return min(size - 1, max(0, int(at_s)))


def _p95(waits: list[float]) -> float | None:
    """The 95th percentile of the finite waits; None without any."""
    known = [wait for wait in waits if math.isfinite(wait)]
    return round(percentile(np.array(known), 0.95), 6) if known else None
