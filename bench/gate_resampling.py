"""What stored pairs of equal runs say about the comparison of two sides. Pure: no run is played here.

A *pair* is two runs of one seed without any difference between them (A/A). A resampled comparison draws some of the
pairs, and decides by chance which run of each is the head: as if a gate had played these runs.

    resampled             verdicts of many such comparisons
    beyond                pairs whose two runs differ by more than the tolerance of a measure
    bound_for_new_runs    upper bound of the rate of false alarms of gates that are played later
    found_size            the smallest added worsening that is found in 99 % of the comparisons
    against_choices       a planted regression against every choice of base runs

Resamples of the same runs are not independent: 5,000 of them are no 5,000 gates. So there are two bounds:

For *these runs*, each resample is an independent draw from all comparisons that they allow. The exact bound of a share
(Clopper and Pearson) holds for the share among those, and says nothing about other runs.

For *new runs*, the unit is the seed, and only seeds are taken as independent:

1.  A comparison fails only if, of some measure, the t statistic is above its quantile at alpha / measures (Holm; for
    a count that is necessary too). Of n differences from the tolerance, at most k of them above 0, the statistic is
    at most sqrt(k (n - 1) / (n - k)) (Cauchy and Schwarz: all others 0, the k equal). So at least `least_beyond` of
    the n pairs are worse by more than the tolerance. An infinite value on one side is such a difference.
2.  Both runs of a pair are of the same stack. If the order in which they were played means nothing, the head is the
    worse one with 1/2. So a pair is worse by more than the tolerance with at most q / 2, where q is the probability
    that its two runs differ by more than that, in either direction. (Where first and second runs of the stored pairs
    differ: at most q.)
3.  The bound of q is exact, from the number of stored pairs beyond the tolerance, at 5 % / measures. The sum over the
    measures of P(binomial(n, q / 2) >= least_beyond) then bounds the rate with 95 %.

It needs no assumption about distributions. It assumes that new runs are like the stored ones (same stack, experiment
and class of machine, no drift), and it is about gates of which every pair counts, with finite values where all stored
values are finite, and with no fewer tested measures than here.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from bench.regressions import upper_bound
from brownout.result import Comparison, MeasureChange
from reports.gating.regressions import Pair, compare_sides
from reports.gating.run_values import Cell, RunValues
from reports.gating.tolerances import Tolerance
from reports.gating.worsening import never_p

__all__ = [
    "ALPHA",
    "FOUND",
    "Choices",
    "Dose",
    "Verdicts",
    "against_choices",
    "beyond",
    "bound_for_new_runs",
    "compared",
    "draws",
    "found_size",
    "label_of",
    "least_beyond",
    "lower_bound",
    "measured",
    "resampled",
    "share_bound",
    "worse",
    "worsening",
]

ALPHA: Final = 0.025
"""One-sided error of a comparison at its usual level."""
FOUND: Final = 0.99
"""Share of the comparisons in which a size must be found."""

_CONFIDENCE: Final = 0.95
_MOST: Final = 64.0
"""Largest worsening that is tried, in tolerances."""
_PRECISION: Final = 1.03


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Of resampled comparisons. `failed`, `undecided`: in how many each measure was so. `tested`: the fewest measures
    that were tested in one comparison."""

    draws: int
    verdicts: Counter[str]
    failed: Counter[str]
    undecided: Counter[str]
    tested: int

    def share(self, verdict: str) -> float:
        """Share of the comparisons with this verdict."""
        return self.verdicts[verdict] / self.draws


@dataclass(frozen=True, slots=True)
class Dose:
    """Of one measure, on the scale of its tolerance. `size`: the smallest worsening that is found; infinite: none is.

    `stated`: what the comparisons of unchanged runs state as `detectable`: 5th, 50th and 95th percentile.
    """

    size: float
    stated: tuple[float, float, float]

    @property
    def against_stated(self) -> int:
        """0: within what 90 % of the comparisons state; -1: smaller, so that they promise too little; 1: larger."""
        if self.size < self.stated[0] / _PRECISION:
            return -1
        return int(self.size > self.stated[2] * _PRECISION)


@dataclass(frozen=True, slots=True)
class Choices:
    """Comparisons of the same runs of a head with every choice of base runs. `found`: how many failed.

    `by`: how many failed by each measure. `change`: mean worsening of each judged measure, in tolerances.
    """

    choices: int
    found: int
    by: Counter[str]
    change: dict[str, float]


def label_of(change: MeasureChange) -> str:
    """As `Tolerance.label`: `ttft.p95 during fault`."""
    return f"{change.measure} during {change.phase}" if change.phase else change.measure


def compared(pairs: Sequence[Pair], tolerances: Sequence[Tolerance], level: float = 1 - 2 * ALPHA) -> Comparison:
    """The comparison that a gate would make of these pairs."""
    return compare_sides(pairs, tolerances, base="the same stack", source="interleaved", level=level)


def measured(pairs: Sequence[Pair], tolerances: Sequence[Tolerance]) -> list[Tolerance]:
    """The judged tolerances whose measure is in any run."""
    runs = [run for pair in pairs for run in pair]
    return [
        one for one in tolerances if one.judged and any(run.value(one.measure, one.phase) is not None for run in runs)
    ]


def draws(pairs: Sequence[Pair], count: int, number: int, rng: np.random.Generator) -> Iterator[list[Pair]]:
    """`number` times `count` different pairs, the head of each drawn. Raises ValueError where there are fewer pairs."""
    if count > len(pairs):
        raise ValueError(f"{count} pairs cannot be drawn from {len(pairs)}")
    for _ in range(number):
        chosen = rng.choice(len(pairs), count, replace=False)
        swapped = rng.random(count) < 0.5
        yield [
            (pairs[at][1], pairs[at][0]) if swap else pairs[at]
            for at, swap in zip(chosen.tolist(), swapped.tolist(), strict=True)
        ]


def resampled(
    pairs: Sequence[Pair], tolerances: Sequence[Tolerance], count: int, number: int, rng: np.random.Generator
) -> Verdicts:
    """The verdicts of `number` comparisons of `count` pairs each."""
    verdicts, failed, undecided = Counter[str](), Counter[str](), Counter[str]()
    tested = len(tolerances)
    for drawn in draws(pairs, count, number, rng):
        found = compared(drawn, tolerances)
        verdicts[found.verdict] += 1
        failed.update(label_of(one) for one in found.judged if one.verdict == "fail")
        undecided.update(label_of(one) for one in found.judged if one.verdict == "inconclusive")
        tested = min(tested, sum(one.p is not None for one in found.judged))
    return Verdicts(number, verdicts, failed, undecided, tested)


def worsening(change: MeasureChange) -> float:
    """How much worse the head is, on the scale of the tolerance; below 0: better. Raises ValueError if unknown."""
    if change.change is None:
        raise ValueError(f"{change.measure} was not measured on both sides")
    return change.change if change.better == "lower" else -change.change


def beyond(pairs: Sequence[Pair], tolerance: Tolerance) -> tuple[int, float]:
    """How many pairs differ by more than the tolerance in either direction, and the largest difference, in tolerances.

    Measured as a comparison measures it, with each run as the head in turn.
    """
    sizes = [max(_of_one(pair, tolerance), _of_one((pair[1], pair[0]), tolerance)) for pair in pairs]
    return sum(one > tolerance.size for one in sizes), max(sizes, default=0.0) / tolerance.size


def _of_one(pair: Pair, tolerance: Tolerance) -> float:
    found = compared([pair] * 5, [tolerance]).judged  # five pairs are the fewest that are compared
    return worsening(found[0]) if found and found[0].change is not None else 0.0


def least_beyond(pairs: int, alpha: float) -> int:
    """How many of so many pairs must be worse by more than the tolerance before a p value below `alpha` is possible."""
    from scipy.special import stdtrit

    square = float(stdtrit(pairs - 1, 1 - alpha)) ** 2
    by_t = math.floor(square * pairs / (pairs - 1 + square)) + 1
    never = [
        here - there
        for there in range(pairs)
        for here in range(there + 1, pairs + 1)
        if never_p(here, there, pairs) < alpha
    ]
    return min(by_t, *never) if never else by_t


def share_bound(count: int, of: int, error: float) -> float:
    """Upper bound of a share with this error (Clopper and Pearson, one-sided)."""
    from scipy.special import betaincinv

    return float(betaincinv(count + 1, of - count, 1 - error)) if count < of else 1.0


def lower_bound(count: int, of: int) -> float:
    """Lower 95 % bound of a share (Clopper and Pearson, one-sided)."""
    return 1 - upper_bound(of - count, of)


def bound_for_new_runs(counts: Sequence[int], stored: int, pairs: int, tested: int, *, order_matters: bool) -> float:
    """Upper 95 % bound of the rate of false alarms of new gates of `pairs` pairs: see the module.

    `counts`: for each judged measure, how many of the `stored` pairs are beyond its tolerance. `tested`: the fewest
    measures that one comparison tests. `order_matters`: first and second runs differ, so q is not halved.
    """
    from scipy.special import bdtrc

    if not counts:
        return 0.0
    least = least_beyond(pairs, ALPHA / max(1, tested))
    if least > pairs:
        return 0.0
    error = (1 - _CONFIDENCE) / len(counts)
    whole = 1 if order_matters else 2
    rates = (float(bdtrc(least - 1, pairs, share_bound(count, stored, error) / whole)) for count in counts)
    return min(1.0, math.fsum(rates))


def worse(run: RunValues, tolerance: Tolerance, size: float, luck: float = 0.5) -> RunValues:
    """The run with one measure worse by `size`, on the scale of the tolerance.

    To a count, a Poisson count with the mean `size` is added (or taken away, down to 0): its quantile at `luck`.
    """
    value = run.value(tolerance.measure, tolerance.phase)
    if value is None:
        return run
    sign = 1.0 if tolerance.better == "lower" else -1.0
    if tolerance.unit == "count":
        value = max(0.0, value + sign * _poisson(size, luck))
    elif tolerance.relative:
        value *= 1 + sign * size
    else:
        value += sign * size
    cell: Cell = tolerance.phase or "run"
    cells = {**run.measures[tolerance.measure], cell: value}
    return msgspec.structs.replace(run, measures={**run.measures, tolerance.measure: cells})


def _poisson(mean: float, luck: float) -> int:
    """The smallest count whose Poisson distribution function is at least `luck`."""
    count, term = 0, math.exp(-mean)
    total = term
    while total < luck and count < 10 * mean + 50:
        count += 1
        term *= mean / count
        total += term
    return count


def found_size(
    pairs: Sequence[Pair], tolerance: Tolerance, count: int, measures: int, number: int, rng: np.random.Generator
) -> Dose | None:
    """The smallest worsening of one measure that at least 99 % of `number` comparisons of `count` pairs find.

    The measure is judged as one of `measures` (the first step of Holm). None: not finite and measured in every run.
    """
    values = [run.value(tolerance.measure, tolerance.phase) for pair in pairs for run in pair]
    if not all(value is not None and math.isfinite(value) for value in values):
        return None
    level = 1 - 2 * ALPHA / measures
    drawn = [(one, rng.random(count).tolist()) for one in draws(pairs, count, number, rng)]
    stated = [change.detectable for one, _ in drawn for change in compared(one, [tolerance], level).judged]
    known = [one for one in stated if one is not None]
    if not known:
        return None

    def finds(size: float) -> bool:
        missed = 0
        for one, luck in drawn:
            head = [worse(run, tolerance, size, its) for (run, _), its in zip(one, luck, strict=True)]
            found = compared(list(zip(head, (base for _, base in one), strict=True)), [tolerance], level)
            missed += found.verdict != "fail"
            if missed > (1 - FOUND) * number:
                return False
        return True

    low, mid, high = (float(one) for one in np.quantile(known, (0.05, 0.5, 0.95)))
    return Dose(_smallest(finds, tolerance), (low, mid, high))


def _smallest(finds: Callable[[float], bool], tolerance: Tolerance) -> float:
    """The smallest size that is found, to 3 %; infinite where even the largest possible is not."""
    most = tolerance.size * _MOST
    if tolerance.unit == "share" or (tolerance.relative and tolerance.better == "higher"):
        most = min(most, 0.99)
    low, high = tolerance.size, min(2 * tolerance.size, most)
    while not finds(high):
        if high >= most:
            return math.inf
        low, high = high, min(2 * high, most)
    while high / low > _PRECISION:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if finds(middle) else (middle, high)
    return high


def against_choices(
    heads: Sequence[RunValues], bases: Mapping[int, Sequence[RunValues]], tolerances: Sequence[Tolerance]
) -> Choices:
    """Runs of a changed stack against every choice of one base run for each of their seeds.

    The choices share the runs of the head: together they are one comparison, not many.
    """
    known = [head for head in heads if bases.get(head.seed)]
    by, change, found = Counter[str](), Counter[str](), 0
    choices = list(itertools.product(*(bases[head.seed] for head in known)))
    for chosen in choices:
        result = compared(list(zip(known, chosen, strict=True)), tolerances)
        found += result.verdict == "fail"
        by.update(label_of(one) for one in result.judged if one.verdict == "fail")
        for one in (one for one in result.judged if one.change is not None):
            change[label_of(one)] += worsening(one) / one.tolerance / len(choices)  # type: ignore[assignment]
    return Choices(len(choices), found, by, dict(change))
