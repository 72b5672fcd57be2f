"""replica_queue: how long requests waited in replicas' queues, again after each preemption, together.

Percentiles over requests at replicas, by the phase their call belongs to.
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
        return not_measured("no replica of ours says how long a request waited")
    waits, sessions = zip(*found, strict=True)
    return statistic(evidence, np.array(waits, dtype=np.float64), np.array(sessions, dtype=np.int64), stat)
