"""goodput: tokens of good calls, by the phase they were sent in, per second of that phase."""

from __future__ import annotations

import numpy as np

from reports.history.evidence import Evidence, Scope
from reports.measures.measurement import Measurement, not_measured, resampled

__all__ = ["goodput"]


def goodput(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Tokens per second."""
    duration_s = evidence.duration_s(scope)
    if duration_s <= 0:
        return not_measured("the phase has no duration")
    mask = evidence.mask(scope)
    offered = evidence.by_session(np.ones(mask.size), mask)
    tokens = evidence.by_session(np.where(evidence.columns.good, evidence.columns.tokens, 0.0), mask)
    return resampled(
        float(tokens.sum()) / duration_s,
        int(mask.sum()),
        int(np.count_nonzero(offered)),
        lambda: evidence.resampling.sums(tokens) / duration_s,
    )
