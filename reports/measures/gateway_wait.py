"""gateway_wait: how long requests waited at the gateway before their first attempt upstream.

Gateway request received -> its first attempt upstream started. Infinite where the client left before that. A request
that was rejected without an attempt did not wait and is left out (`shed` counts it).
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
        return not_measured("no gateway of ours reports how long a request waited")
    return statistic(evidence, np.array(waits, dtype=np.float64), np.array(sessions, dtype=np.int64), stat)


def waits_of(evidence: Evidence, call: Call) -> list[tuple[float, float]]:
    """Of each of the call's requests at the gateway that waited: time received and wait, seconds."""
    first: dict[bytes, float] = {}
    for attempt in call.attempts:
        parent = attempt.span.parent_id
        first[parent] = min(attempt.start_s, first.get(parent, math.inf))
    found: list[tuple[float, float]] = []
    for request in call.gateway_requests:
        received_s = evidence.record.seconds(request.start_ns)
        attempted_s = first.get(request.span_id)
        if attempted_s is not None:
            found.append((received_s, max(0.0, attempted_s - received_s)))
        elif request.attributes.get(names.OUTCOME) == Outcome.ABANDONED:
            found.append((received_s, math.inf))
    return found
