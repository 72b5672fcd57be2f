"""Percentiles, and the bootstrap by session: calls of one session depend on each other, so sessions are drawn.

A percentile is the inverse of the empirical distribution (the value at rank ceil(q n)), without interpolation, so that
infinite values stay infinite. `reports.history.intervals` has the intervals that need no resampling.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MIN_SESSIONS",
    "RESAMPLES",
    "FloatArray",
    "IntArray",
    "Resampling",
    "paired",
    "percentile",
    "percentile_interval",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

RESAMPLES: Final = 1000
MIN_SESSIONS: Final = 10
"""Minimum number of sessions for a bootstrap by session."""

_BLOCK: Final = 4_000_000
"""Cells of one block of a resampling: limits its memory to about 30 MB."""


def percentile(values: FloatArray, q: float) -> float:
    """The value at rank ceil(q n), infinite values included. Raises ValueError without values."""
    if values.size == 0:
        raise ValueError("a percentile needs at least one value")
    ordered = np.sort(values)
    return float(ordered[max(0, math.ceil(q * ordered.size - 1e-9) - 1)])


def percentile_interval(resampled: FloatArray) -> tuple[float, float]:
    """The bootstrap percentile interval of resampled statistics, without NaNs (empty resamples)."""
    kept = np.sort(resampled[~np.isnan(resampled)])
    if kept.size == 0:
        return -math.inf, math.inf
    low = kept[int(0.025 * (kept.size - 1))]
    high = kept[math.ceil(0.975 * (kept.size - 1))]
    return float(low), float(high)


class Resampling:
    """The bootstrap by session: how often each session is drawn in each of `RESAMPLES` resamples.

    All measures of a run share the matrix, so that a quotient of two phases resamples both together. The same `seed`
    gives the same matrix.
    """

    def __init__(self, sessions: int, seed: int) -> None:
        self.sessions = sessions
        rng = np.random.default_rng([seed & 0x7FFFFFFF, 0x5E55])
        share = np.full(max(sessions, 1), 1 / max(sessions, 1))
        self.weights: NDArray[np.uint16] = rng.multinomial(sessions, share, size=RESAMPLES).astype(np.uint16)
        self._poisson: NDArray[np.uint16] = rng.poisson(1.0, size=self.weights.shape).astype(np.uint16)

    def subset(self, columns: IntArray) -> Resampling:
        """The same draws for the sessions with these indices, in their order."""
        made = copy(self)
        made.sessions = columns.size
        made.weights = np.ascontiguousarray(self.weights[:, columns])
        made._poisson = np.ascontiguousarray(self._poisson[:, columns])
        return made

    def sums(self, by_session: FloatArray) -> FloatArray:
        """The resampled sums of a quantity given per session."""
        return np.asarray(self.weights @ by_session, dtype=np.float64)

    def flows(self, by_session: FloatArray) -> FloatArray:
        """Resampled sums where the number of sessions is chance too: arrivals are Poisson, so each weight is as well.

        A sum over a time, unlike a quotient of two sums, varies with the number of sessions that arrived.
        """
        return np.asarray(self._poisson @ by_session, dtype=np.float64)

    def ratio(self, numerator: FloatArray, denominator: FloatArray) -> FloatArray:
        """The resampled quotients of two sums; NaN where the denominator is 0."""
        top, bottom = self.sums(numerator), self.sums(denominator)
        return np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 0)

    def percentiles(self, values: FloatArray, session_of: IntArray, qs: tuple[float, ...]) -> FloatArray:
        """Resampled percentiles of `values`, one row per quantile. `session_of`: the session index of each value."""
        out = np.full((len(qs), RESAMPLES), np.nan)
        if values.size == 0:
            return out
        order = np.argsort(values, kind="stable")
        ordered, session = values[order], session_of[order]
        step = max(1, _BLOCK // values.size)
        for begin in range(0, RESAMPLES, step):
            cumulated = np.cumsum(self.weights[begin : begin + step][:, session], axis=1, dtype=np.int32)
            totals = cumulated[:, -1]
            for row, q in enumerate(qs):
                ranks = np.maximum(1, np.ceil(q * totals - 1e-9)).astype(np.int32)
                places = np.count_nonzero(cumulated < ranks[:, None], axis=1)
                found = ordered[np.minimum(places, values.size - 1)]
                out[row, begin : begin + found.size] = np.where(totals > 0, found, np.nan)
        return out


def paired(first: Sequence[str], second: Sequence[str], seed: int) -> tuple[Resampling, Resampling]:
    """Resamplings of two runs, given their session ids: a session of both runs is drawn equally often in both."""
    place = {session: number for number, session in enumerate(dict.fromkeys([*first, *second]))}
    both = Resampling(len(place), seed)
    columns = (np.array([place[session] for session in ids], dtype=np.int64) for ids in (first, second))
    here, there = (both.subset(column) for column in columns)
    return here, there
