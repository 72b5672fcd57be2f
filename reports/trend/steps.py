"""Steps in a sequence of values: where its level changes, and how likely chance alone would do that. Pure.

Binary segmentation with a permutation test. Two statistics are compared with those of the same values in random order:

    step      the largest difference between the mean before and after a run, relative to what its two lengths allow
    stretch   the largest excess of a stretch of runs over the mean of all (the range of the cumulated deviations):
              a level that changed and changed back

Both are taken on scores: values held within `CLAMP` robust standard deviations of their median, so that one extreme or
infinite value has no more weight than a large one. A permutation test holds its level for any noise, as long as the
runs could have come in any order; a slow drift, or noise that lasts for several runs, is reported as a step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEAST_SIDE", "Evidence", "Step", "first_test", "least_p", "split", "steps_of"]

LEAST_SIDE: Final = 3
"""Fewest runs on each side of a step: one or two odd runs are no new level."""

CLAMP: Final = 5.0
"""Scores reach this many robust standard deviations from the median."""

STEP_WEIGHT: Final = 0.8
"""Share of the level that the statistic `step` gets; `stretch` has the rest (a weighted Bonferroni correction)."""

PERMUTATIONS: Final = 9_999
ENOUGH: Final = 50
"""Permutations stop early when so many of them are at least as extreme (Besag and Clifford 1991): it is chance."""

_BATCH: Final = 1_000
_MAD_TO_SD: Final = 1.4826

Scores = NDArray[np.float64]


class Evidence(NamedTuple):
    """The result of a test. `cuts`: index of the first value of each new level; `p`: before any further correction."""

    cuts: tuple[int, ...]
    p: float


@dataclass(frozen=True, slots=True)
class Step:
    """A change of level. `at`: index of the first value after it. `p`: corrected for the `tests` of the sequence.

    `begin`, `end`: the values from `begin` to `at` have the level before, those from `at` to `end` the level after.
    """

    at: int
    begin: int
    end: int
    p: float


def steps_of(values: Sequence[float], *, level: float, tests: int = 1, seed: int = 0) -> list[Step]:
    """The steps in the order of the sequence, those with a corrected p of at most `level`. Infinite values are allowed.

    `tests`: by how many sequences p is multiplied. A part of the sequence is tested again after a step was found in it:
    its p is multiplied by 2 for each such step before it, and is at least that of the step that it follows.
    """
    first = first_test(values, seed=seed)
    return split(values, first, first.p * tests, level=level, tests=tests, seed=seed)


def first_test(values: Sequence[float], *, seed: int = 0) -> Evidence:
    """The test of the whole sequence; p is 1 where it has too few values for one."""
    return _tested(np.asarray(values, dtype=float), np.random.default_rng([seed, len(values)]))


def split(values: Sequence[float], first: Evidence, p: float, *, level: float, tests: int, seed: int = 0) -> list[Step]:
    """The steps, given the test of the whole sequence and its corrected `p`. `level`, `tests`: see `steps_of`."""
    array = np.asarray(values, dtype=float)
    draws = np.random.default_rng([seed, len(values), 1])
    found: dict[int, float] = {}

    def divide(begin: int, end: int, evidence: Evidence, corrected: float, depth: int) -> None:
        if corrected > level or not evidence.cuts:
            return
        for cut in evidence.cuts:
            found[begin + cut] = corrected
        for left, right in zip((0, *evidence.cuts), (*evidence.cuts, end - begin), strict=True):
            part = _tested(array[begin + left : begin + right], draws)
            divide(begin + left, begin + right, part, max(corrected, part.p * tests * 2.0**depth), depth + 1)

    divide(0, len(array), first, min(1.0, p), 1)
    cuts = sorted(found)
    ends = [0, *cuts, len(array)]
    for place in range(1, len(ends) - 1):
        ends[place] = ends[place - 1] + _best_cut(array[ends[place - 1] : ends[place + 1]])
    return [
        Step(ends[place], ends[place - 1], ends[place + 1], min(1.0, found[cut]))
        for place, cut in enumerate(cuts, start=1)
    ]


def least_p(before: int, after: int) -> float:
    """The smallest p of `first_test` for a step with so many values before and after, however large it is."""
    return max(2 / math.comb(before + after, after), 1 / (PERMUTATIONS + 1)) / STEP_WEIGHT


def scores_of(values: Scores) -> Scores:
    """Deviations from the median, held within `CLAMP` robust standard deviations. All equal: zeros.

    The scale is the median absolute deviation of the finite values; where that is 0, their mean absolute deviation;
    where that is 0 too, infinite values score 1.
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return np.sign(values)
    centre = float(np.median(finite))
    deviations = np.abs(finite - centre)
    scale = _MAD_TO_SD * float(np.median(deviations)) or float(np.mean(deviations))
    if scale == 0:
        return np.sign(values - centre) * np.isinf(values)
    return np.clip((values - centre) / scale, -CLAMP, CLAMP)


def _best_cut(values: Scores) -> int:
    """Where the means before and after differ most; a cut of the whole is placed again between its neighbours."""
    scores = scores_of(values)
    sums = np.cumsum(scores - scores.mean())[:-1]
    return int(np.argmax(np.abs(sums) * _weights(len(values)))) + 1


def _tested(values: Scores, draws: np.random.Generator) -> Evidence:
    n = len(values)
    if n < 2 * LEAST_SIDE:
        return Evidence((), 1.0)
    scores = scores_of(values)
    scores = scores - scores.mean()
    if not np.any(scores):
        return Evidence((), 1.0)
    weights = _weights(n)
    sums = np.cumsum(scores)[:-1]
    weighted = np.abs(sums) * weights
    step, stretch = float(weighted.max()), float(np.ptp(np.append(sums, 0.0)))
    exceeds, played = np.zeros(2), 0
    while played < PERMUTATIONS and exceeds.min() < ENOUGH:
        size = min(_BATCH if played else _BATCH // 5, PERMUTATIONS - played)
        shuffled = np.cumsum(draws.permuted(np.tile(scores, (size, 1)), axis=1), axis=1)
        steps = (np.abs(shuffled[:, :-1]) * weights).max(axis=1)
        shuffled[:, -1] = 0.0
        exceeds += [np.sum(steps >= step - 1e-9), np.sum(np.ptp(shuffled, axis=1) >= stretch - 1e-9)]
        played += size
    by_step, by_stretch = (exceeds + 1) / (played + 1) / (STEP_WEIGHT, 1 - STEP_WEIGHT)
    if by_step <= by_stretch:
        return Evidence((int(np.argmax(weighted)) + 1,), min(1.0, float(by_step)))
    ends = sorted((int(np.argmax(sums)) + 1, int(np.argmin(sums)) + 1))
    cuts = tuple(cut for cut in ends if LEAST_SIDE <= cut <= n - LEAST_SIDE)
    if len(cuts) == 2 and cuts[1] - cuts[0] < LEAST_SIDE:
        cuts = ()
    return Evidence(cuts, min(1.0, float(by_stretch)) if cuts else 1.0)


def _weights(n: int) -> Scores:
    """By what the cumulated deviation after 1, 2, ... n - 1 values is multiplied; 0 where a side is too short."""
    before = np.arange(1, n, dtype=float)
    weights = np.sqrt(n / (before * (n - before)))
    weights[(before < LEAST_SIDE) | (n - before < LEAST_SIDE)] = 0.0
    found: Scores = weights
    return found
