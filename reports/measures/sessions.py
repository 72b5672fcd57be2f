"""sessions, sessions_lost, unfinished, session_success: how sessions ended, by the phase in which each started.

Lost: a call did not end ok after the client's retries, or the session had been silent for 10 s at the end of the drain.
Unfinished: still running at the end of the drain and not lost; these do not count in session_success.
"""

from __future__ import annotations

import numpy as np

from reports.history.evidence import Evidence, Scope
from reports.measures.measurement import Measurement, fact, proportion
from reports.shared.attributes import SessionOutcome

__all__ = ["session_success", "sessions", "sessions_lost", "unfinished"]


def _count(evidence: Evidence, scope: Scope, outcome: SessionOutcome) -> int:
    return sum(session.outcome == outcome for session in evidence.sessions(scope))


def sessions(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Sessions started."""
    return fact(len(evidence.sessions(scope)))


def sessions_lost(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Sessions lost."""
    return fact(_count(evidence, scope, SessionOutcome.LOST), len(evidence.sessions(scope)))


def unfinished(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Sessions still running when the run ended."""
    return fact(_count(evidence, scope, SessionOutcome.UNFINISHED), len(evidence.sessions(scope)))


def session_success(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Succeeded / (succeeded + lost)."""
    members = {session.id for session in evidence.sessions(scope)}
    all_sessions = evidence.calls.sessions
    succeeded = np.array(
        [s.id in members and s.outcome == SessionOutcome.SUCCEEDED for s in all_sessions], dtype=np.float64
    )
    lost = np.array([s.id in members and s.outcome == SessionOutcome.LOST for s in all_sessions], dtype=np.float64)
    ended = succeeded + lost
    return proportion(succeeded, ended, lambda: evidence.resampling.ratio(succeeded, ended))
