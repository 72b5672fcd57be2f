"""slo_attainment: good calls / offered calls. Good: ended ok and met every objective of the experiment.

A call of the baseline that was still open at the injection counts in the fault.
"""

from __future__ import annotations

import numpy as np

from reports.history.evidence import BoolArray, Evidence, Scope
from reports.measures.measurement import Measurement, not_measured, proportion

__all__ = ["share_of_calls", "slo_attainment"]


def slo_attainment(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Good calls / all calls sent, failed ones included."""
    if not evidence.record.slo:
        return not_measured("the experiment has no objectives (slo:)")
    return share_of_calls(evidence, evidence.slo_mask(scope), evidence.columns.good)


def share_of_calls(evidence: Evidence, mask: BoolArray, counted: BoolArray) -> Measurement:
    """The share of the calls in `mask` that are `counted`; in its interval, sessions are clusters."""
    offered = evidence.by_session(np.ones(mask.size), mask)
    hits = evidence.by_session(counted.astype(np.float64), mask)
    return proportion(hits, offered, lambda: evidence.resampling.ratio(hits, offered))
