"""knee: the highest rate of sessions that the stack still serves well, under a rising load.

knee                    find the last window of 5 s (one begins each 0.1 s) in which at least 90 % of the calls sent
                        were good; the knee is the most sessions that started in any window up to that one, per second.
                        0 where no window was good. Only windows up to the last one that offered at least 80 % of the
                        maximum are examined, so that a load that falls again does not hide the knee
cost_per_1k_sessions    dollars per hour of the hardware held / sessions per hour at the knee x 1,000

Where the last window examined was still good, the knee was not reached: the offered rate is a lower bound (the price an
upper bound). A gate that the bound satisfies passes; one that it does not satisfy is inconclusive.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from reports.history.evidence import Evidence, Scope
from reports.history.statistics import FloatArray
from reports.history.windows import window_shares
from reports.measures.cost import dollars_by_pool
from reports.measures.measurement import Measurement, not_measured
from reports.shared.thresholds import WINDOW_S
from reports.shared.wording import SEE_WINDOWS

__all__ = ["knee", "rates_along"]

GOOD_SHARE: Final = 0.90
"""A window is good where at least this share of its calls is good."""

EXAMINED_SHARE: Final = 0.80
"""Windows are examined up to the last one with at least this share of the highest rate."""


def knee(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Sessions per second, or dollars."""
    if evidence.record.repeats(*scope.phases):
        return not_measured(SEE_WINDOWS)
    phases = [phase for phase in evidence.record.phases if phase.name in scope.phases]
    begin, end = min(phase.start_s for phase in phases), max(phase.end_s for phase in phases)
    columns = evidence.columns
    good = columns.good.astype(np.float64)
    starts, shares = window_shares(columns.sent, good, np.ones(good.size), begin, end)
    if starts.size == 0:
        return not_measured(f"the phase is shorter than {WINDOW_S:g} s")
    rates = rates_along(evidence, starts)
    if not rates.any():
        return not_measured("no session started")
    examined = int(np.flatnonzero(rates >= EXAMINED_SHARE * rates.max() - 1e-9)[-1]) + 1
    good_windows = np.flatnonzero(shares[:examined] >= GOOD_SHARE - 1e-12)
    known = np.flatnonzero(~np.isnan(shares[:examined]))
    reached = not good_windows.size or good_windows[-1] != known[-1]
    rate = float(rates[: int(good_windows[-1]) + 1].max()) if good_windows.size else 0.0
    sessions = sum(begin <= session.start_s < end for session in evidence.calls.sessions)
    if stat == "":
        return _bounded(rate, (rate, math.inf), reached, sessions)
    hours = evidence.duration_s(Scope(scope.phase)) / 3600
    dollars = sum(dollars_by_pool(evidence, scope).values()) / hours
    if not dollars:
        return not_measured("the stack has no prices")
    price = 1000 * dollars / (rate * 3600) if rate else math.inf
    return _bounded(price, (0.0, price), reached, sessions)


def rates_along(evidence: Evidence, starts: FloatArray) -> FloatArray:
    """Sessions that started in each window, per second."""
    begun = np.sort(np.array([session.start_s for session in evidence.calls.sessions], dtype=np.float64))
    return (np.searchsorted(begun, starts + WINDOW_S) - np.searchsorted(begun, starts)) / WINDOW_S


def _bounded(value: float, bounds: tuple[float, float], reached: bool, sessions: int) -> Measurement:
    if reached:
        return Measurement(value, sessions, sessions)
    return Measurement(
        value, sessions, sessions, interval=lambda: bounds, note="the knee was not reached: the value is a bound"
    )
