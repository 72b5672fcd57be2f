"""Sliding windows of 5 s, one begins each 0.1 s: the share of good calls (or of another quantity) in each."""

from __future__ import annotations

from typing import Final

import numpy as np

from reports.history.statistics import FloatArray
from reports.shared.thresholds import WINDOW_S

__all__ = ["STEP_S", "recovered_at", "window_shares"]

STEP_S: Final = 0.1
"""Seconds between the starts of two windows."""


def window_shares(
    sent: FloatArray, part: FloatArray, whole: FloatArray, begin: float, end: float
) -> tuple[FloatArray, FloatArray]:
    """The starts of the windows between `begin` and `end`, and sum(part) / sum(whole) of the calls sent in each.

    `sent` is ascending. NaN for a window without calls; empty arrays where the time is shorter than one window.
    """
    starts = np.arange(begin, end - WINDOW_S + 1e-9, STEP_S)
    parts = np.concatenate(([0.0], np.cumsum(part, dtype=np.float64)))
    wholes = np.concatenate(([0.0], np.cumsum(whole, dtype=np.float64)))
    first, last = np.searchsorted(sent, starts), np.searchsorted(sent, starts + WINDOW_S)
    denominator = wholes[last] - wholes[first]
    numerator = parts[last] - parts[first]
    shares = np.divide(numerator, denominator, out=np.full(starts.size, np.nan), where=denominator > 0)
    return starts, shares


def recovered_at(
    sent: FloatArray, part: FloatArray, whole: FloatArray, least: float, begin: float, end: float
) -> float | None:
    """The start of the first window from which the share stays at or above `least` until `end`; None: no such window.

    Windows without calls are ignored.
    """
    starts, shares = window_shares(sent, part, whole, begin, end)
    low = np.flatnonzero(shares < least - 1e-12)  # NaN compares as false
    after = int(low[-1]) + 1 if low.size else 0
    return float(starts[after]) if after < starts.size else None
