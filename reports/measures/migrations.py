"""migrations: attempts of the gateway that continue, at another replica, a stream that the client has begun to read.

For a pool: those sent to it. An attempt that was joined to no call counts in the phase in which it started.
"""

from __future__ import annotations

import numpy as np

from reports.history.calls import Attempt, phase_at
from reports.history.evidence import Evidence, Scope
from reports.measures.measurement import Measurement, fact, not_measured

__all__ = ["migrations"]


def migrations(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """A count."""
    if not evidence.calls.sees_upstream:
        return not_measured("no gateway and no replica of ours reports where a call was served")
    pool = scope.where[1] if scope.where is not None and scope.where[0] == "pool" else None
    mask = evidence.mask(Scope(scope.phase) if pool is not None else scope)
    attempts: list[Attempt] = [a for index in np.flatnonzero(mask) for a in evidence.calls.calls[index].attempts]
    if scope.where is None or pool is not None:
        attempts += [
            attempt
            for attempt in evidence.calls.unjoined_attempts
            if phase_at(evidence.record.phases, attempt.start_s) in scope.phases
        ]
    return fact(sum(a.reason == "migration" and pool in (None, a.pool) for a in attempts), len(attempts))
