"""95 % intervals of rates, percentiles and ratios within one run, where the calls of a session depend on each other.

Everything rests on the *effective* number of samples: samples / design effect of sessions as clusters. The effect that
is estimated from the data falls to 1 where hardly a bad call was seen, which is where gates sit. So it is believed only
where at least `FEW` sessions have a call of the rarer kind; else the worst case holds: that a session is good or bad as
a whole. `docs/statistics.md` has the reasons; `bench.coverage` checks it.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from reports.history.statistics import FloatArray, IntArray, percentile
from reports.shared.thresholds import Z_95

__all__ = [
    "FEW",
    "Interval",
    "bootstrap_interval",
    "design_effect",
    "effective_samples",
    "percentile_ranks",
    "quotient_interval",
    "rank_effective",
    "rank_interval",
    "rare_events_interval",
    "rate_interval",
    "wilson_interval",
    "worst_effect",
]

Interval = tuple[float, float]
"""Lower and upper end; infinite where an end is unknown."""

FEW: Final = 5
"""With fewer sessions than this that have a call of the rarer kind, their variance cannot be estimated."""

_GARWOOD: Final = ((0.0, 3.689), (0.0253, 5.572), (0.2422, 7.225), (0.6187, 8.767), (1.0899, 10.242))
"""Exact 95 % interval of a Poisson mean where 0, 1, ... 4 events were seen (Garwood 1936).

The first is the rule of three, two-sided: -ln 0.025 instead of -ln 0.05.
"""


def wilson_interval(successes: float, trials: float) -> Interval:
    """Wilson's score interval of a proportion (Wilson 1927); (0, 1) without trials.

    `trials` may be an effective sample size, which is not an integer.
    """
    if trials <= 0:
        return 0.0, 1.0
    p = successes / trials
    z2 = Z_95**2
    centre = (p + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z_95 / (1 + z2 / trials) * math.sqrt(max(0.0, p * (1 - p)) / trials + z2 / (4 * trials**2))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high


def design_effect(hits: FloatArray, offered: FloatArray) -> float:
    """The factor by which sessions increase the variance of sum(hits) / sum(offered), as estimated, at least 1.

    Ratio of the linearised between-session variance to the binomial one (Kish 1965, section 5.6; Korn & Graubard 1998
    for its use in an interval). 1 where either is zero.
    """
    total = float(offered.sum())
    clusters = int(np.count_nonzero(offered))
    if clusters < 2 or total <= 1:
        return 1.0
    p = float(hits.sum()) / total
    binomial = p * (1 - p) / (total - 1)  # unbiased like `between`: clusters of one call give 1
    if binomial <= 0:
        return 1.0
    residual = hits - p * offered
    between = float((residual**2).sum()) * clusters / (clusters - 1) / total**2
    return max(1.0, between / binomial)


def worst_effect(offered: FloatArray) -> float:
    """The design effect where each session is good or bad as a whole: sum(n^2) / sum(n); 1 without samples."""
    total = float(offered.sum())
    return float((offered**2).sum()) / total if total > 0 else 1.0


def effective_samples(hits: FloatArray, offered: FloatArray) -> float:
    """Samples / design effect of sum(hits) / sum(offered), both given per session."""
    total = float(offered.sum())
    if total <= 0:
        return 0.0
    rarer = min(_even_sessions(hits), _even_sessions(offered - hits))
    estimated = design_effect(hits, offered)
    if rarer < FEW:
        return total / max(estimated, worst_effect(offered))
    # The estimate varies with the sessions that it rests on: Student's t (Korn & Graubard 1998). Where a few sessions
    # have most of the calls, they are what it rests on.
    freedom = min(_even_sessions(offered) - 1, rarer)
    return total / (estimated * (_t_95(freedom) / Z_95) ** 2)


def _even_sessions(calls: FloatArray) -> int:
    """As how many sessions with the same number of calls these count: (sum n)^2 / sum(n^2), rounded."""
    squares = float((calls**2).sum())
    return round(float(calls.sum()) ** 2 / squares) if squares > 0 else 0


def rate_interval(hits: FloatArray, offered: FloatArray) -> Interval:
    """The interval of sum(hits) / sum(offered), both given per session: Wilson's at the effective samples."""
    effective = effective_samples(hits, offered)
    total = float(offered.sum())
    share = min(1.0, float(hits.sum()) / total) if total > 0 else 0.0
    return wilson_interval(share * effective, effective)


def rank_interval(values: FloatArray, session_of: IntArray, q: float) -> Interval:
    """The interval of a percentile: two values, whose ranks are those of `percentile_ranks` at the effective samples.

    (Woodruff 1952.) `session_of`: the session index of each value. An end is infinite where there are too few samples.
    Raises ValueError without values.
    """
    at = percentile(values, q)
    low, high = percentile_ranks(rank_effective(values, session_of, q), q)
    ordered = np.sort(values)
    lower = -math.inf if low is None else float(ordered[max(0, math.floor(low * ordered.size + 1e-9) - 1)])
    upper = math.inf if high is None else float(ordered[min(ordered.size, math.ceil(high * ordered.size - 1e-9)) - 1])
    return min(lower, at), max(upper, at)


def rank_effective(values: FloatArray, session_of: IntArray, q: float) -> float:
    """The effective samples of a percentile: of the share of values that are not above it."""
    offered = np.bincount(session_of).astype(np.float64)
    below = np.bincount(session_of[values <= percentile(values, q)], minlength=offered.size).astype(np.float64)
    return effective_samples(below, offered)


def percentile_ranks(samples: float, q: float) -> tuple[float | None, float | None]:
    """The ranks / n between which the q-quantile lies with 95 % certainty; None: no rank is low or high enough.

    By the binomial distribution of the number of values below the quantile; `samples` need not be an integer. The upper
    rank exists from ln 0.025 / ln q samples on: 72 for a p95, 368 for a p99.
    """
    from scipy.special import bdtrik  # 0.3 s, and only the analysis of a run needs it

    high = None if samples < math.log(0.025) / math.log(q) else (float(bdtrik(0.975, samples, q)) + 1) / samples
    low = None if samples < math.log(0.025) / math.log(1 - q) else (float(bdtrik(0.025, samples, q)) + 1) / samples
    return low, high if high is None else min(1.0, high)


def quotient_interval(top: float, of_top: Interval, bottom: float, of_bottom: Interval) -> Interval:
    """The interval of top / bottom, both at least 0 and `bottom` above 0, from their own intervals.

    MOVER on logarithms (Zou & Donner 2008): exact where both are log-normal, and an infinite end stays infinite. The
    two are taken as independent: sessions of both phases make it wider than it need be.
    """
    if math.isinf(top):
        return (of_top[0] / of_bottom[1] if math.isfinite(of_top[0]) else math.inf), math.inf
    if top == 0:
        return 0.0, of_top[1] / of_bottom[0] if of_bottom[0] > 0 else math.inf
    value = top / bottom
    down = math.hypot(_log(top, of_top[0]), _log(of_bottom[1], bottom))
    up = math.hypot(_log(of_top[1], top), _log(bottom, of_bottom[0]))
    return value * math.exp(-down), value * math.exp(up) if up < 700 else math.inf


def bootstrap_interval(resamples: FloatArray, freedom: int) -> Interval:
    """The percentile interval of a bootstrap, expanded for the few sessions that it rests on (Hesterberg 2015).

    `freedom`: degrees of freedom, such as sessions - 1. NaNs are left out; unknown ends are infinite.
    """
    kept = np.sort(resamples[~np.isnan(resamples)])
    if kept.size == 0:
        return -math.inf, math.inf
    tail = 0.5 * math.erfc(_t_95(freedom) / math.sqrt(2))
    return float(kept[int(tail * (kept.size - 1))]), float(kept[math.ceil((1 - tail) * (kept.size - 1))])


def rare_events_interval(sessions: int, per_session: float, usual: float) -> Interval:
    """The interval of a quantity that only `sessions` sessions, fewer than `FEW`, move away from its `usual` value.

    `per_session`: by how much one such session moves it. The number of such sessions is taken as Poisson; none seen is
    the rule of three. Raises IndexError from `FEW` sessions on.
    """
    low, high = _GARWOOD[sessions]
    return usual + low * per_session, usual + high * per_session


def _log(above: float, below: float) -> float:
    """log(above / below), at least 0; infinite where `below` is 0 or `above` infinite."""
    if math.isinf(above):
        return 0.0 if math.isinf(below) and below > 0 else math.inf
    return math.inf if below <= 0 else max(0.0, math.log(above / below))


def _t_95(freedom: int) -> float:
    """The 97.5 % point of Student's t, for at least 4 degrees of freedom (Abramowitz & Stegun 26.7.5)."""
    z, v = Z_95, float(max(4, freedom))
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    )
