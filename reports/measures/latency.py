"""ttft, max_gap, tpot, e2e, effective: latencies of calls in seconds, by the phase in which each call was sent.

ttft        first non-empty output token - call sent; infinite without a token
max_gap     longest gap between two chunks of a call; of calls with two chunks or more
tpot        (e2e - ttft) / (output tokens - 1); of calls with two tokens or more
e2e         last byte - call sent; infinite for a call that failed
effective   last byte - time scheduled; infinite for a call that failed
"""

from __future__ import annotations

import math

import numpy as np

from reports.history.evidence import Evidence, Scope
from reports.history.intervals import rank_effective, rank_interval
from reports.history.statistics import FloatArray, IntArray, percentile
from reports.measures.measurement import Measure, Measurement, fact, not_measured
from reports.measures.spec import quantile_of

__all__ = ["latency", "latency_values", "statistic"]


def latency_values(evidence: Evidence, name: str) -> FloatArray:
    """The latency of each call of the run in seconds, NaN where undefined. Raises KeyError for an unknown name."""
    columns = evidence.columns
    match name:
        case "ttft":
            return columns.ttft
        case "tpot":
            return columns.tpot
        case "max_gap":
            return columns.max_gap
        case "e2e":
            return np.where(columns.ok, columns.e2e, math.inf)
        case "effective":
            return np.where(columns.ok, columns.e2e + columns.lateness, math.inf)
    raise KeyError(name)


def statistic(evidence: Evidence, values: FloatArray, session_of: IntArray, stat: str) -> Measurement:
    """A percentile or the maximum of `values`. `session_of`: the index of the session of each value."""
    if values.size == 0:
        return not_measured("no call has this value")
    if stat == "max":
        return fact(float(values.max()), int(values.size))
    q = quantile_of(stat)
    return Measurement(
        percentile(values, q),
        int(values.size),
        int(np.unique(session_of).size),
        interval=lambda: rank_interval(values, session_of, q),
        resamples=lambda: evidence.resampling.percentiles(values, session_of, (q,))[0],
        effective=rank_effective(values, session_of, q),
    )


def latency(name: str) -> Measure:
    """The measure of the latency `name`."""

    def measure(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
        values = latency_values(evidence, name)
        mask = evidence.mask(scope) & ~np.isnan(values)
        return statistic(evidence, values[mask], evidence.columns.session[mask], stat)

    return measure
