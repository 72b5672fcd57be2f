"""Steps in a sequence of values: found where they were planted, and not where nothing changed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reports.trend.steps import LEAST_SIDE, first_test, least_p, steps_of


def noise(runs: int, seed: int = 1) -> list[float]:
    return [float(one) for one in np.random.default_rng(seed).normal(size=runs)]


def planted(values: list[float], size: float, begin: int, end: int | None = None) -> list[float]:
    return [one + size * (begin <= index < (end or len(values))) for index, one in enumerate(values)]


def test_a_large_step_is_found_at_its_run_with_its_neighbours() -> None:
    (step,) = steps_of(planted(noise(40), 6, 25), level=0.05)
    assert (step.begin, step.at, step.end) == (0, 25, 40)
    assert step.p < 0.01


def test_three_runs_at_a_new_level_are_enough() -> None:
    assert [step.at for step in steps_of(planted(noise(28), 8, 25), level=0.05)] == [25]


def test_fewer_runs_than_the_least_side_are_no_new_level() -> None:
    after = LEAST_SIDE - 1
    assert all(step.at != 25 for step in steps_of(planted(noise(25 + after), 8, 25), level=0.05))


def test_both_ends_of_a_level_that_was_left_again_are_found() -> None:
    found = steps_of(planted(noise(50), 5, 20, 30), level=0.05)
    assert [step.at for step in found] == [20, 30]
    assert [(step.begin, step.end) for step in found] == [(0, 30), (20, 50)]


def test_series_without_a_change_are_marked_as_often_as_the_level_says() -> None:
    marked = sum(bool(steps_of(noise(20, seed), level=0.05)) for seed in range(120))
    assert marked <= 13  # more has a probability of 0.4 % if the level holds


@pytest.mark.parametrize("value", [0.0, 5.0, math.inf])
def test_equal_values_have_no_step(value: float) -> None:
    assert steps_of([value] * 30, level=0.05) == []


def test_a_count_that_was_always_zero_and_then_is_not_has_a_step() -> None:
    assert [step.at for step in steps_of([0.0] * 20 + [4.0, 2.0, 5.0, 3.0], level=0.05)] == [20]


def test_infinite_values_are_a_level_like_any_other() -> None:
    assert [step.at for step in steps_of([*noise(20), *[math.inf] * 5], level=0.05)] == [20]


def test_one_extreme_value_is_no_step() -> None:
    values = noise(30, 3)
    values[12] = 1e9
    assert steps_of(values, level=0.05) == []


def test_more_tests_ask_for_more_evidence() -> None:
    values = planted(noise(13), 8, 10)
    assert steps_of(values, level=0.05, tests=1)
    assert not steps_of(values, level=0.05, tests=10)


def test_the_least_p_is_a_bound_for_a_step_however_large() -> None:
    assert first_test(planted(noise(13), 1000, 10)).p >= 0.8 * least_p(10, 3)
    assert least_p(10, 3) == pytest.approx(2 / 286 / 0.8)


def test_the_same_values_give_the_same_result() -> None:
    values = planted(noise(30), 2, 20)
    assert steps_of(values, level=0.5) == steps_of(values, level=0.5)


def test_too_few_values_have_no_step() -> None:
    assert steps_of([1.0, 1.0, 9.0, 9.0], level=0.5) == []
    assert steps_of([], level=0.5) == []
