"""Windows of 5 s along a run: from when on a share stays up."""

from __future__ import annotations

from typing import Final

import numpy as np

from reports.history.statistics import FloatArray
from reports.shared.thresholds import WINDOW_S

__all__ = ["STEP_S", "shares_along", "well_from"]

STEP_S: Final = 0.1


def shares_along(
    sent: FloatArray, part: FloatArray, whole: FloatArray, begin: float, end: float
) -> tuple[FloatArray, FloatArray]:
    """The starts of the windows between `begin` and `end`, and of each sum(part) / sum(whole) of what was sent in it.

    `sent` is in order. NaN where a window holds nothing; no window at all where the time is shorter than one.
    """
    starts = np.arange(begin, end - WINDOW_S + 1e-9, STEP_S)
    parts = np.concatenate(([0.0], np.cumsum(part, dtype=np.float64)))
    wholes = np.concatenate(([0.0], np.cumsum(whole, dtype=np.float64)))
    first, last = np.searchsorted(sent, starts), np.searchsorted(sent, starts + WINDOW_S)
    under = wholes[last] - wholes[first]
    over = parts[last] - parts[first]
    return starts, np.divide(over, under, out=np.full(starts.size, np.nan), where=under > 0)


def well_from(
    sent: FloatArray, part: FloatArray, whole: FloatArray, least: float, begin: float, end: float
) -> float | None:
    """The start of the first window from which the share stays at or above `least` to the end; None: of none.

    Windows that hold nothing say nothing.
    """
    starts, shares = shares_along(sent, part, whole, begin, end)
    ill = np.flatnonzero(shares < least - 1e-12)  # NaN is not below anything
    after = int(ill[-1]) + 1 if ill.size else 0
    return float(starts[after]) if after < starts.size else None
