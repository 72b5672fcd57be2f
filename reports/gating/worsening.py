"""How much worse a measure became over pairs of runs: its mean, a two-sided interval, and a one-sided p value.

    times, rates, shares   paired t test of the differences
    counts                 a paired t test, and a test of two Poisson counts with the overdispersion seen: the larger p
                           value, and an interval that covers both intervals
    values of `never`      exact test (Fisher) of the number of runs in which it never happened

Worse is above 0, on the scale that the caller chose. Each function is about one measure; see `chance.holm` for several.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = [
    "POWER",
    "Worsening",
    "count_detectable_above",
    "detectable_above",
    "never_p",
    "pairs_for_never",
    "worse_count",
    "worse_mean",
]

POWER: Final = 0.99
"""Probability with which a worsening of the size `detectable` is found."""

_SMALLEST_P: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Worsening:
    """`low`, `high`: two-sided interval of `mean`. `p`: one-sided, of "not worse than the tolerance".

    `seen_sd`: standard deviation between pairs; `sd`: the same, but at least the smallest that is believed.
    """

    mean: float
    low: float
    high: float
    p: float
    sd: float
    seen_sd: float


def worse_mean(differences: Sequence[float], tolerance: float, alpha: float, floor: float = 0.0) -> Worsening:
    """Paired t test of at least two finite differences. `alpha`: of each side of the interval. `floor`: smallest
    standard deviation that is believed."""
    from scipy.special import stdtr, stdtrit  # 0.2 s

    n = len(differences)
    mean = math.fsum(differences) / n
    seen = math.sqrt(math.fsum((one - mean) ** 2 for one in differences) / (n - 1))
    sd = max(floor, seen)
    error = sd / math.sqrt(n)
    half = -float(stdtrit(n - 1, alpha)) * error
    beyond = mean - tolerance
    p = float(stdtr(n - 1, -beyond / error)) if error > 0 else float(beyond <= 0)
    return Worsening(mean, mean - half, mean + half, p, sd, seen)


def worse_count(worse: Sequence[float], other: Sequence[float], tolerance: float, alpha: float) -> Worsening:
    """How much larger the count `worse` is a run than `other`, one pair of runs each.

    The interval of the difference of two Poisson means is made from the exact interval of each (Garwood 1936; MOVER,
    Zou and Donner 2008), both widened by the overdispersion seen. Where nothing was counted, that is the rule of three.
    """
    n = len(worse)
    here, there = math.fsum(worse), math.fsum(other)
    # A Poisson count has its mean as variance: no smaller spread is believed.
    paired = worse_mean(
        [one - its for one, its in zip(worse, other, strict=True)], tolerance, alpha, math.sqrt((here + there) / n)
    )
    totals = _Totals(here, there, n, _dispersion(worse, other))
    return Worsening(
        paired.mean,
        min(paired.low, totals.low(alpha)),
        max(paired.high, totals.high(alpha)),
        max(paired.p, totals.p(tolerance)),
        paired.sd,
        paired.seen_sd,
    )


def _dispersion(*sides: Sequence[float]) -> float:
    """Variance over mean of the counts within their side, at least 1."""
    means = [math.fsum(side) / len(side) for side in sides]
    squares = math.fsum((one - mean) ** 2 for side, mean in zip(sides, means, strict=True) for one in side)
    expected = math.fsum(mean * (len(side) - 1) for side, mean in zip(sides, means, strict=True))
    return max(1.0, squares / expected) if expected > 0 else 1.0


@dataclass(frozen=True, slots=True)
class _Totals:
    """Two totals over `n` runs, whose variance is `dispersion` times their mean."""

    here: float
    there: float
    n: int
    dispersion: float

    def low(self, alpha: float) -> float:
        down, up = self.here - self._lower(self.here, alpha), self._upper(self.there, alpha) - self.there
        return (self.here - self.there - math.hypot(down, up)) / self.n

    def high(self, alpha: float) -> float:
        up, down = self._upper(self.here, alpha) - self.here, self.there - self._lower(self.there, alpha)
        return (self.here - self.there + math.hypot(up, down)) / self.n

    def p(self, tolerance: float) -> float:
        """The alpha at which the lower end is the tolerance; 1 where not even the difference is above it."""
        if self.here - self.there <= tolerance * self.n:
            return 1.0
        least, most = math.log(_SMALLEST_P), math.log(0.5)
        for _ in range(50):
            middle = (least + most) / 2
            least, most = (least, middle) if self.low(math.exp(middle)) > tolerance else (middle, most)
        return math.exp(most)

    def _lower(self, total: float, alpha: float) -> float:
        from scipy.special import gammaincinv

        return self.dispersion * float(gammaincinv(total / self.dispersion, alpha)) if total > 0 else 0.0

    def _upper(self, total: float, alpha: float) -> float:
        from scipy.special import gammainccinv

        return self.dispersion * float(gammainccinv(total / self.dispersion + 1, alpha))


def never_p(here: int, there: int, pairs: int) -> float:
    """p value of `never` in `here` of `pairs` runs against `there` of as many: Fisher's exact test, one-sided."""
    total = here + there
    ways = sum(math.comb(pairs, k) * math.comb(pairs, total - k) for k in range(here, min(pairs, total) + 1))
    return ways / math.comb(2 * pairs, total)


def pairs_for_never(alpha: float, measures: int) -> int:
    """How many pairs tell "always never" from "never never", where so many measures are judged (Holm)."""
    pairs = 2
    while never_p(pairs, 0, pairs) * measures >= alpha:
        pairs += 1
    return pairs


def detectable_above(pairs: int, sd: float, alpha: float) -> float:
    """How far beyond the tolerance a worsening must be to be found with `POWER`, by a paired t test at this `alpha`.

    Power of the t test: noncentral t distribution with `pairs` - 1 degrees of freedom.
    """
    return _noncentrality(pairs, alpha) * sd / math.sqrt(pairs)


def count_detectable_above(pairs: int, sd: float, alpha: float, mean: float, tolerance: float) -> float:
    """The same for counts with this `mean` a run in the base: the larger the worsening, the larger its own spread."""
    share = _noncentrality(pairs, alpha) / math.sqrt(pairs)
    poisson = 2 * mean + tolerance  # x = share * sqrt(poisson + x), solved for x
    return max(share * sd, (share**2 + math.sqrt(share**4 + 4 * share**2 * poisson)) / 2)


def _noncentrality(pairs: int, alpha: float) -> float:
    from scipy.special import nctdtrinc, stdtrit

    return float(nctdtrinc(pairs - 1, 1 - POWER, -float(stdtrit(pairs - 1, alpha))))
