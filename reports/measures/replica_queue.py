"""replica_queue: total waiting time of a request in a replica's queue, including after each preemption.

Percentiles over requests at replicas, by the phase of their call.
"""

from __future__ import annotations

import numpy as np

from reports.history.evidence import Evidence, Scope
from reports.measures.latency import statistic
from reports.measures.measurement import Measurement, not_measured
from reports.measures.preemptions import requests_in

__all__ = ["replica_queue"]


def replica_queue(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Seconds."""
    found = [(r.queue_s, session) for r, session in requests_in(evidence, scope) if r.queue_s is not None]
    if not found:
        return not_measured("no replica of ours reports how long a request waited")
    waits, sessions = zip(*found, strict=True)
    return statistic(evidence, np.array(waits, dtype=np.float64), np.array(sessions, dtype=np.int64), stat)
