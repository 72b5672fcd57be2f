"""gateway_wait: how long requests stood at the gateway before it turned to a replica.

Gateway request received -> its first attempt upstream started. Infinite for one whose client left before that; one
that was refused without an attempt did not wait for anything and is left out (`shed` counts it).
"""

from __future__ import annotations

import math

import numpy as np

from reports.history.calls import Call
from reports.history.evidence import Evidence, Scope
from reports.measures.latency import statistic
from reports.measures.measurement import Measurement, not_measured
from reports.shared import attributes as names
from reports.shared.attributes import Outcome

__all__ = ["gateway_wait", "waits_of"]


def gateway_wait(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Seconds; percentiles over requests at the gateway, by the phase their call belongs to."""
    waits: list[float] = []
    sessions: list[int] = []
    for index in np.flatnonzero(evidence.mask(scope)):
        for _, wait_s in waits_of(evidence, evidence.calls.calls[index]):
            waits.append(wait_s)
            sessions.append(int(evidence.columns.session[index]))
    if not waits:
        return not_measured("no gateway of ours says how long a request stood there")
    return statistic(evidence, np.array(waits, dtype=np.float64), np.array(sessions, dtype=np.int64), stat)


def waits_of(evidence: Evidence, call: Call) -> list[tuple[float, float]]:
    """Of each of the call's requests at the gateway that waited: when it came, and how long."""
    first: dict[bytes, float] = {}
    for attempt in call.attempts:
        parent = attempt.span.parent_id
        first[parent] = min(attempt.start_s, first.get(parent, math.inf))
    found: list[tuple[float, float]] = []
    for request in call.gateway_requests:
        came_s = evidence.record.seconds(request.start_ns)
        turned_s = first.get(request.span_id)
        if turned_s is not None:
            found.append((came_s, max(0.0, turned_s - came_s)))
        elif request.attributes.get(names.OUTCOME) == Outcome.ABANDONED:
            found.append((came_s, math.inf))
    return found
