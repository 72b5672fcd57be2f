"""goodput_lost: 1 - good calls / (the baseline's share of good calls x calls offered), over fault and recovery.

The area of the resilience triangle. Negative where more calls were good than in the baseline.
"""

from __future__ import annotations

import numpy as np

from reports.history.evidence import Evidence, Scope
from reports.history.intervals import quotient_interval, rate_interval
from reports.history.statistics import FloatArray
from reports.measures.measurement import Interval, Measurement, not_measured
from reports.shared.wording import SEE_WINDOWS

__all__ = ["goodput_lost"]


def goodput_lost(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """The share of the expected good calls that is missing."""
    if not any(impact.injected for impact in evidence.impacts):
        return not_measured("no fault was injected")
    if evidence.record.repeats("baseline", "fault", "recovery"):
        return not_measured(SEE_WINDOWS)
    before = evidence.slo_mask(Scope("baseline"))
    after = evidence.slo_mask(Scope("fault")) | evidence.slo_mask(Scope("recovery"))
    good = evidence.columns.good.astype(np.float64)
    ones = np.ones(good.size)
    good_before, offered_before = evidence.by_session(good, before), evidence.by_session(ones, before)
    good_after, offered_after = evidence.by_session(good, after), evidence.by_session(ones, after)
    if good_before.sum() == 0:
        return not_measured("no call of the baseline was good")
    if offered_after.sum() == 0:
        return not_measured("no call was made from the fault on")

    def resamples() -> FloatArray:
        share = evidence.resampling.ratio(good_before, offered_before)
        expected = share * evidence.resampling.sums(offered_after)
        out = np.full(expected.size, np.nan)
        np.divide(evidence.resampling.sums(good_after), expected, out=out, where=expected > 0)
        return 1.0 - out

    usual = float(good_before.sum() / offered_before.sum())
    share = float(good_after.sum() / offered_after.sum())

    def interval() -> Interval:
        ends = rate_interval(good_after, offered_after), rate_interval(good_before, offered_before)
        low, high = quotient_interval(share, ends[0], usual, ends[1])
        return 1 - high, 1 - low

    return Measurement(
        1 - share / usual,
        int(after.sum()),
        int(np.count_nonzero(offered_after)),
        interval=interval,
        resamples=resamples,
    )
