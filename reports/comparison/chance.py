"""Whether a difference between runs is more than chance. The run is the unit: the calls of a run share its luck.

    one pair        its difference against the spread of stored A/A pairs: a prediction interval of the next difference
                    (standard deviation x sqrt(1 + 1/n), t distribution with n - 1 degrees of freedom)
    several pairs   paired t test of their differences
    counts          both of these on the scale of square roots, and an exact test of the totals: the larger p value

All p values are two-sided. `holm` corrects them for the number of measures that are judged together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal

__all__ = [
    "ALPHA",
    "MIN_PAIRS",
    "SCALES",
    "Scale",
    "count_p",
    "holm",
    "least_sd",
    "on_scale",
    "pairs_p",
    "prediction_p",
    "scales_of",
]

Scale = Literal["log", "linear", "root"]
"""On which scale differences are taken. `root`: square roots of a count + 3/8; a Poisson count of any size then has a
variance of 1/4 (Anscombe 1948)."""

SCALES: Final[tuple[Scale, ...]] = ("root", "log", "linear")
"""In the order in which they are preferred, where several fit."""

ALPHA: Final = 0.05
"""Share of comparisons without a difference in which any measure may be said to differ."""

MIN_PAIRS: Final = 5
"""Fewest pairs of runs for a paired test, and fewest A/A pairs for a spread."""

_ROOT_SD: Final = math.sqrt(0.5)
"""Standard deviation of the difference of two equal Poisson counts on the scale of square roots."""


def scales_of(unit: str, values: Sequence[float]) -> tuple[Scale, ...]:
    """The scales that fit these values of a measure, the best first: counts have `root`, positive values `log`."""
    if unit == "count":
        return ("root",)
    return ("log", "linear") if all(value > 0 for value in values) else ("linear",)


def on_scale(value: float, scale: Scale) -> float:
    """A value on a scale; minus infinity for the logarithm of 0."""
    match scale:
        case "log":
            return math.log(value) if value > 0 else -math.inf
        case "root":
            return math.sqrt(value + 0.375)
    return value


def least_sd(unit: str, calls: float, scale: Scale, value: float) -> float:
    """The smallest standard deviation of a difference that is believed: A/A pairs may be equal by chance.

    Counts: that of two Poisson counts. Shares and ratios: the weight of one of the `calls`, on the scale of the
    difference (of logarithms: relative to the smallest `value`). Others: 0.
    """
    if unit == "count":
        return _ROOT_SD
    if unit not in ("share", "x"):
        return 0.0
    weight = 1 / max(calls, 1)
    return weight / value if scale == "log" and value > 0 else weight


def prediction_p(difference: float, sd: float, pairs: int) -> float:
    """p value of one pair's difference, given the standard deviation `sd` of the differences of `pairs` A/A pairs.

    If those were all equal, it is 1 / (pairs + 1): the chance that the one pair is the first to differ.
    """
    if difference == 0:
        return 1.0
    if sd == 0:
        return 1 / (pairs + 1)
    return _t_p(difference / (sd * math.sqrt(1 + 1 / pairs)), pairs - 1)


def pairs_p(differences: Sequence[float], floor: float = 0.0) -> float:
    """p value of the paired t test; `floor`: the smallest standard deviation that is believed (`least_sd`).

    Where a difference is infinite or all are equal, a sign test. Raises ValueError for fewer than two pairs.
    """
    n = len(differences)
    if n < 2:
        raise ValueError("a paired test needs at least two pairs")
    if all(math.isfinite(one) for one in differences):
        mean = math.fsum(differences) / n
        sd = max(floor, math.sqrt(math.fsum((one - mean) ** 2 for one in differences) / (n - 1)))
        if mean == 0:
            return 1.0
        if sd > 1e-12 * abs(mean):
            return _t_p(mean / (sd / math.sqrt(n)), n - 1)
    above, below = (sum(sign * one > 0 for one in differences) for sign in (1, -1))
    return count_p(above, below)


def count_p(here: float, there: float) -> float:
    """p value of two counts of the same exposure: given the total, `here` is binomial with 1/2 (exact test)."""
    from scipy.special import bdtr  # 0.2 s

    smaller, total = min(here, there), here + there
    return min(1.0, 2 * float(bdtr(smaller, int(total), 0.5))) if 0 < total < math.inf else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values corrected for their number (Holm 1979), in the order given."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [0.0] * len(p_values)
    worst = 0.0
    for place, index in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = worst
    return adjusted


def _t_p(t: float, freedom: int) -> float:
    from scipy.special import stdtr  # 0.2 s

    return 2 * float(stdtr(freedom, -abs(t)))
