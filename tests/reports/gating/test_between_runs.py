"""Intervals over runs, against another implementation and by their properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from reports.gating.between_runs import RunValue, over_runs, verdict_of, widened, wilson_at
from reports.history.intervals import wilson_interval
from reports.measures.value_range import ValueRange

SHARE, TIME = ValueRange(0, 1), ValueRange(0)


def runs(*values: float, width: float = 0.0, samples: int = 10_000) -> list[RunValue]:
    return [RunValue(v, (v - width, v + width) if width else None, samples=samples) for v in values]


def test_an_interval_of_times_is_that_of_students_t_on_logarithms() -> None:
    values = [1.0, 1.3, 0.8, 1.1, 1.6]
    found = over_runs(runs(*values), "s", 0.95, TIME)
    logs = np.log(values)
    ends = stats.t.interval(0.95, 4, logs.mean(), stats.sem(logs))
    assert found.value == pytest.approx(stats.gmean(values))
    assert found.interval == pytest.approx(tuple(np.exp(ends)))


def test_an_interval_of_shares_is_that_of_students_t_on_the_shares() -> None:
    values = [0.5, 0.6, 0.7]
    found = over_runs(runs(*values), "share", 0.9, SHARE)
    assert found.interval == pytest.approx(stats.t.interval(0.9, 2, 0.6, stats.sem(values)), abs=1e-9)


def test_a_time_of_0_is_averaged_without_logarithms() -> None:
    found = over_runs(runs(0.0, 0.8, 0.6, 0.0), "s", 0.95, TIME)
    assert found.value == pytest.approx(0.35)
    assert found.interval[0] == 0.0


def test_equal_runs_are_no_closer_than_their_own_intervals_say() -> None:
    found = over_runs(runs(0.9, 0.9, 0.9, width=0.0196), "share", 0.95, SHARE)
    half = stats.t.ppf(0.975, 2) * 0.01 / math.sqrt(3)
    assert found.interval == pytest.approx((0.9 - half, 0.9 + half), rel=1e-3)


def test_equal_runs_are_no_closer_than_the_weight_of_a_call_or_the_resolution() -> None:
    share = over_runs(runs(0.9, 0.9, samples=100), "share", 0.95, SHARE)
    assert share.interval[0] < 0.9 - 0.01
    time = over_runs(runs(2.0, 2.0, 2.0), "s", 0.95, TIME)
    assert time.interval[1] == pytest.approx(2.0 * math.exp(stats.t.ppf(0.975, 2) * 0.01 / math.sqrt(3)))


def test_intervals_stay_within_the_range_of_the_measure() -> None:
    assert over_runs(runs(1.0, 1.0, 0.9), "share", 0.95, SHARE).interval[1] == 1.0


def test_an_end_that_half_of_the_runs_lack_is_unknown() -> None:
    known, lacking = RunValue(1.0, (0.8, 1.3)), RunValue(1.1, (0.8, math.inf))
    assert math.isinf(over_runs([known, lacking], "s", 0.95, TIME).interval[1])
    assert math.isfinite(over_runs([known, known, lacking], "s", 0.95, TIME).interval[1])


def test_a_bound_does_not_become_tighter_with_more_runs() -> None:
    bounds = [RunValue(1.0, (1.0, 4.0), bounds=True)] * 10
    low, high = over_runs(bounds, "s", 0.95, TIME).interval
    assert low == pytest.approx(1.0, rel=0.02)
    assert high == pytest.approx(4.0, rel=0.02)
    open_end = [*bounds[1:], RunValue(1.0, (1.0, math.inf), bounds=True)]
    assert math.isinf(over_runs(open_end, "s", 0.95, TIME).interval[1])


def test_a_value_that_never_came_has_no_mean() -> None:
    found = over_runs(runs(1.0, math.inf), "s", 0.95, TIME)
    assert (found.value, found.interval) == (math.inf, (0, math.inf))


def test_one_run_has_no_interval_over_runs() -> None:
    with pytest.raises(ValueError, match="at least two"):
        over_runs(runs(1.0), "s", 0.95, TIME)


def test_the_interval_of_a_share_at_95_percent_is_wilsons() -> None:
    for share, n in ((0.0, 30.0), (0.4, 17.5), (0.97, 200.0), (1.0, 80.0)):
        assert wilson_at(share, n, 0.95) == pytest.approx(wilson_interval(share * n, n))
    assert wilson_at(0.97, 200, 0.995)[0] < wilson_at(0.97, 200, 0.95)[0]


def test_the_interval_of_one_run_at_a_higher_level_is_wider_on_its_scale() -> None:
    run = RunValue(1.0, (0.5, 2.0))
    found = widened(run, math.inf, "s", 0.995, TIME)
    ratio = stats.norm.ppf(0.9975) / stats.norm.ppf(0.975)
    assert found == pytest.approx((0.5**ratio, 2.0**ratio))
    assert widened(run, math.inf, "s", 0.95, TIME) == run.interval
    assert widened(RunValue(1.0, (0.5, math.inf)), 9, "s", 0.995, TIME) == pytest.approx((0.0, math.inf), abs=0.5)
    bound = RunValue(1.0, (0.5, 2.0), bounds=True)
    assert widened(bound, math.inf, "s", 0.995, TIME) == bound.interval


@pytest.mark.parametrize(
    ("op", "interval", "verdict"),
    [
        ("<=", (1.0, 2.0), "pass"),
        ("<=", (1.0, 2.1), "inconclusive"),
        ("<", (2.0, 2.5), "fail"),
        (">=", (2.0, 3.0), "pass"),
        (">=", (1.0, 1.9), "fail"),
        ("==", (1.0, 3.0), "inconclusive"),
        ("==", (2.0, 2.0), "pass"),
        ("==", (3.0, 4.0), "fail"),
        ("!=", (3.0, 4.0), "pass"),
    ],
)
def test_an_interval_decides_only_as_a_whole(op: str, interval: tuple[float, float], verdict: str) -> None:
    assert verdict_of(op, 2.0, interval) == verdict
