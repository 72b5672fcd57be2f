"""migrations: streams that went on at another replica: attempts of the gateway that continue what a client has begun to
read.

Of a pool: those that went to it. An attempt that found no call counts where its time falls.
"""

from __future__ import annotations

import numpy as np

from reports.history.calls import Attempt, phase_at
from reports.history.evidence import Evidence, Scope
from reports.measures.measurement import Measurement, fact, not_measured

__all__ = ["migrations"]


def migrations(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """A count."""
    if not evidence.calls.has_gateway:
        return not_measured("no gateway of ours says what it moved")
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
