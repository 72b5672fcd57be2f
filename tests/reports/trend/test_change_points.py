"""Change points of the lines of a series."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reports.trend.change_points import MOST_RUNS, change_points, runs_needed
from reports.trend.lines import Line


def line(values: list[float | None], counts: list[bool] | None = None, unit: str = "s") -> Line:
    kept = tuple(counts or [True] * len(values))
    return Line("ttft.p95", "time", unit, None, "", True, "lower", tuple(values), kept)


def noisy(level: float, runs: int, seed: int = 1) -> list[float | None]:
    return [level * float(np.exp(one)) for one in np.random.default_rng(seed).normal(0, 0.05, runs)]


def test_a_change_has_its_run_both_levels_and_the_numbers_of_runs() -> None:
    (found,) = change_points([line([*noisy(1, 20), *noisy(2, 10)])])
    assert (found.line, found.run, found.runs_before, found.runs_after) == (0, 20, 20, 10)
    assert found.before == pytest.approx(1, rel=0.05)
    assert found.after == pytest.approx(2, rel=0.05)
    assert found.p < 0.01


def test_runs_without_a_value_or_that_do_not_count_are_left_out() -> None:
    values = [*noisy(1, 20), None, 50.0, *noisy(2, 10)]
    counts = [place != 21 for place in range(len(values))]
    (found,) = change_points([line(values, counts)])
    assert (found.run, found.runs_before, found.runs_after) == (22, 20, 10)


def test_a_change_only_in_runs_that_do_not_count_is_none() -> None:
    values = [*noisy(1, 20), *noisy(9, 10)]
    assert change_points([line(values, [place < 20 for place in range(30)])]) == []


def test_the_p_values_are_corrected_for_the_number_of_lines() -> None:
    changed = line([*noisy(1, 12), *noisy(2, 4)])
    alone = change_points([changed])[0].p
    (among,) = change_points([changed, *(line(noisy(1, 16, seed)) for seed in range(2, 6))])
    assert among.p == pytest.approx(5 * alone)


def test_lines_that_never_vary_are_not_counted_as_tests() -> None:
    changed = line([*noisy(1, 12), *noisy(2, 4)])
    constant = line([0.0] * 16, unit="count")
    assert change_points([constant, changed])[0].p == change_points([changed])[0].p


def test_counts_have_means_as_levels() -> None:
    (found,) = change_points([line([*[0.0, 1.0] * 8, *[5.0, 6.0] * 4], unit="count")])
    assert (found.before, found.after) == (0.5, 5.5)


def test_a_change_to_never_is_found() -> None:
    (found,) = change_points([line([*noisy(1, 20), *[math.inf] * 6])])
    assert (found.run, found.after) == (20, math.inf)


def test_only_the_newest_runs_are_tested() -> None:
    values = [*noisy(9, 20), *noisy(1, MOST_RUNS)]
    assert all(found.run > 20 for found in change_points([line(values)]))


def test_a_series_says_how_many_runs_it_needs() -> None:
    needed = runs_needed(1)
    half = needed // 2
    assert change_points([line([*noisy(1, needed - half), *noisy(9, half)])])
    fewer = needed - 1
    assert not any(change_points([line([*noisy(1, fewer - after), *noisy(9, after)])]) for after in range(1, fewer))
    assert runs_needed(20) > needed
