"""session_time: first call sent to last byte of the last call, tool time included; infinite for a lost session."""

from __future__ import annotations

import math

import numpy as np

from reports.history.evidence import Evidence, Scope
from reports.measures.latency import statistic
from reports.measures.measurement import Measurement
from reports.shared.attributes import SessionOutcome

__all__ = ["session_time"]


def session_time(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Seconds; a percentile over the sessions that ended. Unfinished ones are left out."""
    number = {session.id: index for index, session in enumerate(evidence.calls.sessions)}
    ended = [s for s in evidence.sessions(scope) if s.outcome != SessionOutcome.UNFINISHED]
    times = [math.inf if s.outcome == SessionOutcome.LOST else s.end_s - s.start_s for s in ended]
    return statistic(evidence, np.array(times), np.array([number[s.id] for s in ended], dtype=np.int64), stat)
