"""slo_attainment: good calls / offered calls. Good: ended ok and met every objective of the experiment."""

from __future__ import annotations

import numpy as np

from reports.history.evidence import BoolArray, Evidence, Scope
from reports.history.statistics import design_effect
from reports.measures.measurement import Measurement, not_measured, proportion

__all__ = ["share_of_calls", "slo_attainment"]


def slo_attainment(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Good calls / all calls sent, failed ones included."""
    if not evidence.record.slo:
        return not_measured("the experiment has no objectives (slo:)")
    return share_of_calls(evidence, scope, evidence.columns.good)


def share_of_calls(evidence: Evidence, scope: Scope, counted: BoolArray) -> Measurement:
    """The share of the scope's calls that are `counted`; the interval has the design effect of sessions as clusters."""
    mask = evidence.mask(scope)
    offered = evidence.by_session(np.ones(mask.size), mask)
    hits = evidence.by_session(counted.astype(np.float64), mask)
    return proportion(
        float(hits.sum()),
        int(mask.sum()),
        int(np.count_nonzero(offered)),
        design_effect(hits, offered),
        lambda: evidence.resampling.ratio(hits, offered),
    )
