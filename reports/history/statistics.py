"""Intervals. Sessions are what is resampled: the calls within one depend on each other.

All intervals are two-sided 95 %. Percentiles are the inverse of the empirical distribution (the value at rank ceil(q
n)), without interpolation, so that an infinite value stays one.
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
    "Resampling",
    "design_effect",
    "paired",
    "percentile",
    "percentile_interval",
    "wilson_interval",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

RESAMPLES: Final = 1000
MIN_SESSIONS: Final = 10
"""Below this many sessions a bootstrap by session says nothing."""

_BLOCK: Final = 4_000_000
"""Cells of one block of a resampling: bounds its memory to some 30 MB."""

Z_95: Final = 1.959963984540054
"""`scipy.special.ndtri(0.975)`; importing scipy for it costs 0.2 s."""


def wilson_interval(successes: float, trials: float) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927). `trials` may be an effective number, not whole.

    (0, 1) without trials.
    """
    if trials <= 0:
        return 0.0, 1.0
    p = successes / trials
    z2 = Z_95**2
    centre = (p + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z_95 / (1 + z2 / trials) * math.sqrt(p * (1 - p) / trials + z2 / (4 * trials**2))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high


def design_effect(good: FloatArray, offered: FloatArray) -> float:
    """How much wider a proportion's variance is for coming in clusters (sessions), at least 1.

    Ratio of the linearised between-cluster variance of sum(good) / sum(offered) to the binomial one (Kish 1965,
    section 5.6; Korn & Graubard 1998 for its use in an interval). 1 where either is zero.
    """
    total = float(offered.sum())
    clusters = int(np.count_nonzero(offered))
    if clusters < 2 or total <= 1:
        return 1.0
    p = float(good.sum()) / total
    binomial = p * (1 - p) / (total - 1)  # unbiased, as the other is: calls that are their own clusters give 1
    if binomial <= 0:
        return 1.0
    residual = good - p * offered
    between = float((residual**2).sum()) * clusters / (clusters - 1) / total**2
    return max(1.0, between / binomial)


def percentile(values: FloatArray, q: float) -> float:
    """The value at rank ceil(q n); infinite values count. Raises ValueError without values."""
    if values.size == 0:
        raise ValueError("a percentile of nothing")
    ordered = np.sort(values)
    return float(ordered[max(0, math.ceil(q * ordered.size - 1e-9) - 1)])


def percentile_interval(resampled: FloatArray) -> tuple[float, float]:
    """The bootstrap percentile interval of resampled statistics; NaNs (empty resamples) are left out."""
    kept = np.sort(resampled[~np.isnan(resampled)])
    if kept.size == 0:
        return -math.inf, math.inf
    low = kept[int(0.025 * (kept.size - 1))]
    high = kept[math.ceil(0.975 * (kept.size - 1))]
    return float(low), float(high)


class Resampling:
    """The sessions of a run, drawn again `RESAMPLES` times: how often each came, as one matrix for all measures.

    One matrix, so that a quotient of two phases resamples both together. `seed` makes it repeatable.
    """

    def __init__(self, sessions: int, seed: int) -> None:
        self.sessions = sessions
        rng = np.random.default_rng([seed & 0x7FFFFFFF, 0x5E55])
        share = np.full(max(sessions, 1), 1 / max(sessions, 1))
        self.weights: NDArray[np.uint16] = rng.multinomial(sessions, share, size=RESAMPLES).astype(np.uint16)

    def of(self, columns: IntArray) -> Resampling:
        """The same draws for some of the sessions, in the order of `columns`."""
        made = copy(self)
        made.sessions = columns.size
        made.weights = np.ascontiguousarray(self.weights[:, columns])
        return made

    def sums(self, by_session: FloatArray) -> FloatArray:
        """The resampled totals of a quantity given by session."""
        return np.asarray(self.weights @ by_session, dtype=np.float64)

    def ratio(self, numerator: FloatArray, denominator: FloatArray) -> FloatArray:
        """The resampled quotients of two totals; NaN where the denominator is empty."""
        over, under = self.sums(numerator), self.sums(denominator)
        return np.divide(over, under, out=np.full_like(over, np.nan), where=under > 0)

    def percentiles(self, values: FloatArray, session_of: IntArray, qs: tuple[float, ...]) -> FloatArray:
        """Resampled percentiles, one row a quantile: of `values`, each belonging to the session `session_of` it."""
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
    """Two runs' sessions drawn together, by id: a session that is in both comes as often in both."""
    place = {session: number for number, session in enumerate(dict.fromkeys([*first, *second]))}
    both = Resampling(len(place), seed)
    columns = (np.array([place[session] for session in ids], dtype=np.int64) for ids in (first, second))
    here, there = (both.of(column) for column in columns)
    return here, there
