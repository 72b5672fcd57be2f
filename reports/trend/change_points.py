"""The change points of a series: where the level of a measure changed by more than chance between its runs.

The tests of all lines are corrected together (Holm 1979): if nothing changed, a series shows any change point with a
probability of at most `LEVEL`, however many measures it has. Values above zero are taken as logarithms, counts as
square roots, as in `reports.comparison.chance`.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reports.comparison.chance import holm, on_scale, scales_of
from reports.trend.lines import Line
from reports.trend.steps import LEAST_SIDE, first_test, least_p, split

__all__ = ["LEVEL", "MOST_RUNS", "ChangePoint", "change_points", "runs_needed"]

LEVEL: Final = 0.05
MOST_RUNS: Final = 500
"""The newest runs of a series that are tested; more would take long and are too old to act upon."""


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """A change of level of one line.

    `line`: its place among the lines. `run`: the place of the first run after the change. `before`, `after`: the
    typical value of the `runs_before` and `runs_after` runs that count, up to the neighbouring change points or the
    ends: their median; of counts, their mean. `p`: that chance alone gives such a change, corrected.
    """

    line: int
    run: int
    before: float
    after: float
    runs_before: int
    runs_after: int
    p: float


def change_points(lines: Sequence[Line]) -> list[ChangePoint]:
    """The change points of all lines of a series, by the time of the first run after them."""
    used = [_used(line) for line in lines]
    scaled = [_scaled(line, places) for line, places in zip(lines, used, strict=True)]
    firsts = [first_test(values) for values in scaled]
    tried = [index for index, values in enumerate(scaled) if len(set(values)) > 1 and len(values) >= 2 * LEAST_SIDE]
    corrected = dict(zip(tried, holm([firsts[index].p for index in tried]), strict=True))
    found = []
    for index, p in corrected.items():
        line, places = lines[index], used[index]
        for step in split(scaled[index], firsts[index], p, level=LEVEL, tests=len(tried)):
            before = _typical(line, places[step.begin : step.at])
            after = _typical(line, places[step.at : step.end])
            sizes = step.at - step.begin, step.end - step.at
            found.append(ChangePoint(index, places[step.at], before, after, *sizes, step.p))
    return sorted(found, key=lambda one: (one.run, one.p, one.line))


def runs_needed(lines: int) -> int:
    """The fewest runs with which a change can be found at all, however large it is, if so many lines are tested."""
    runs = 2 * LEAST_SIDE
    while least_p(runs - runs // 2, runs // 2) * max(1, lines) > LEVEL:
        runs += 1
    return runs


def _used(line: Line) -> list[int]:
    """The places of the runs that count and have a value."""
    first = max(0, len(line.values) - MOST_RUNS)
    return [
        place
        for place, (value, counts) in enumerate(zip(line.values, line.counts, strict=True))
        if counts and value is not None and not math.isnan(value) and place >= first
    ]


def _scaled(line: Line, places: Sequence[int]) -> list[float]:
    values = [value for place in places if (value := line.values[place]) is not None]
    scale = scales_of(line.unit, values)[0]
    return [value if math.isinf(value) else on_scale(value, scale) for value in values]


def _typical(line: Line, places: Sequence[int]) -> float:
    values = [value for place in places if (value := line.values[place]) is not None]
    if line.unit == "count" and all(map(math.isfinite, values)):
        return statistics.fmean(values)
    return float(statistics.median_high(values)) if any(map(math.isinf, values)) else float(statistics.median(values))
