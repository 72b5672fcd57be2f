"""prefill_amplification: prefill tokens computed / prefill tokens needed once, with a perfect prefix cache.

`reports.history.work` defines what is needed once.
"""

from __future__ import annotations

import numpy as np

from reports.history.evidence import Evidence, Scope
from reports.history.intervals import worst_effect
from reports.history.statistics import FloatArray
from reports.history.work import work_of
from reports.measures.measurement import Measurement, Rare, not_measured, resampled

__all__ = ["prefill_amplification"]


def prefill_amplification(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """A factor; 1 is the value with a perfect cache."""
    if not evidence.calls.has_replicas:
        return not_measured("no replica of ours reports its prefill")
    work = work_of(evidence)
    mask = evidence.mask(scope)
    computed, needed = evidence.by_session(work.computed, mask), evidence.by_session(work.needed, mask)
    if needed.sum() <= 0:
        return not_measured("no call needed a prefill")
    return resampled(
        float(computed.sum() / needed.sum()),
        int(mask.sum()),
        int(np.count_nonzero(needed)),
        lambda: evidence.resampling.ratio(computed, needed),
        _recomputing(computed, needed),
    )


def _recomputing(computed: FloatArray, needed: FloatArray) -> Rare:
    """The sessions that computed more than they needed. Where there is none, a session computes all of it twice."""
    more = computed > needed
    sessions, total = int(np.count_nonzero(more)), float(needed.sum())
    usual = float(computed[~more].sum() + needed[more].sum()) / total
    each = float((computed - needed)[more].mean()) if sessions else worst_effect(needed)
    return Rare(sessions, usual, each / total)
