"""retry_amplification: upstream attempts / logical calls.

Upstream attempts are the gateway's; behind a gateway that is not ours, the requests that replicas of ours saw; with
neither, the client's own attempts. An attempt that found no call (its own span was lost) counts where its time falls.
"""

from __future__ import annotations

import numpy as np

from reports.history.calls import phase_at
from reports.history.evidence import Evidence, Scope
from reports.history.work import attempts_by_call
from reports.measures.measurement import Measurement, not_measured, resampled

__all__ = ["retry_amplification"]


def retry_amplification(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Attempts a call."""
    mask = evidence.mask(scope)
    if not mask.any():
        return not_measured("no call was made")
    calls = evidence.calls
    attempts = evidence.by_session(attempts_by_call(evidence), mask)
    offered = evidence.by_session(np.ones(mask.size), mask)
    strays = calls.unjoined_attempts if calls.has_gateway else calls.unjoined_requests if calls.has_replicas else []
    stray = 0
    if scope.where is None:
        stray = sum(phase_at(evidence.record.phases, s.start_s) in scope.phases for s in strays)
    total = float(offered.sum())
    return resampled(
        (float(attempts.sum()) + stray) / total,
        int(total),
        int(np.count_nonzero(offered)),
        lambda: evidence.resampling.ratio(attempts, offered) + stray / total,
    )
