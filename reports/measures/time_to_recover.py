"""time_to_recover: fault reverted to the start of the first window of 5 s from which all is well for the rest of the
run.

Well: good calls / offered calls at or above the baseline's share less 10 points, in every window of 5 s from there to
the end of the recovery, one beginning each 0.1 s. Windows without a call say nothing. (A band on goodput itself is
crossed by noise alone in most quiet runs.)
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from reports.evidence import Evidence, Scope
from reports.measures.measurement import Measurement, fact, not_measured

__all__ = ["time_to_recover"]

WINDOW_S: Final = 5.0
STEP_S: Final = 0.1
BAND: Final = 0.10


def time_to_recover(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Seconds; infinite where it did not recover within the run."""
    reverted = [i.fault.reverted_s for i in evidence.impacts if i.injected]
    if not reverted:
        return not_measured("no fault was injected")
    known = [at for at in reverted if at is not None]
    recovery = evidence.record.phase("recovery")
    if len(known) < len(reverted) or recovery is None:
        return not_measured("the record ends before the last fault was reverted and recovery began")
    columns = evidence.columns
    baseline = evidence.mask(Scope("baseline"))
    if not baseline.any():
        return not_measured("no call was made in the baseline")
    least = float(columns.good[baseline].mean()) - BAND
    begin, end = max(known), recovery.end_s
    if end - begin < WINDOW_S:
        return not_measured(f"less than {WINDOW_S:g} s between the revert and the end of the recovery")
    starts = np.arange(begin, end - WINDOW_S + 1e-9, STEP_S)
    sent = columns.sent  # in the order sent
    good = np.concatenate(([0], np.cumsum(columns.good)))
    first, last = np.searchsorted(sent, starts), np.searchsorted(sent, starts + WINDOW_S)
    offered = last - first
    share = np.divide(good[last] - good[first], offered, out=np.ones(starts.size), where=offered > 0)
    ill = np.flatnonzero(share < least - 1e-12)
    if ill.size == 0:
        return fact(0.0)
    after = int(ill[-1]) + 1
    return fact(float(starts[after] - begin) if after < starts.size else math.inf)
