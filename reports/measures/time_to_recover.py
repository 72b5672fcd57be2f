"""time_to_recover: fault reverted to the start of the first window of 5 s from which service stays recovered.

Recovered: good calls / offered calls is at or above the baseline's share - 10 points in every window of 5 s from there
to the end of the recovery, one begins each 0.1 s. Windows without calls are ignored. (Goodput in tokens is not used:
noise alone leaves such a band in most runs without a fault.)
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from reports.history.evidence import Evidence, Scope
from reports.history.windows import recovered_at
from reports.measures.measurement import Measurement, fact, not_measured
from reports.shared.thresholds import WINDOW_S
from reports.shared.wording import SEE_WINDOWS

__all__ = ["time_to_recover"]

BAND: Final = 0.10
"""How far below the baseline's share counts as recovered."""


def time_to_recover(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Seconds; infinite where it did not recover within the run."""
    reverted = [i.fault.reverted_s for i in evidence.impacts if i.injected]
    if not reverted:
        return not_measured("no fault was injected")
    if evidence.record.repeats("baseline", "fault", "recovery"):
        return not_measured(SEE_WINDOWS)
    known = [at for at in reverted if at is not None]
    recovery = evidence.record.phase("recovery")
    if len(known) < len(reverted) or recovery is None:
        return not_measured("the record ends before the last fault was reverted and recovery began")
    columns = evidence.columns
    baseline = evidence.slo_mask(Scope("baseline"))
    if not baseline.any():
        return not_measured("no call was made in the baseline")
    least = float(columns.good[baseline].mean()) - BAND
    begin, end = max(known), recovery.end_s
    if end - begin < WINDOW_S:
        return not_measured(f"less than {WINDOW_S:g} s between the revert and the end of the recovery")
    good = columns.good.astype(np.float64)
    at = recovered_at(columns.sent, good, np.ones(good.size), least, begin, end)
    return fact(math.inf if at is None else at - begin)
