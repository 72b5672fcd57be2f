"""The benchmark of change points: its planted series, and its judgement."""

from __future__ import annotations

import numpy as np
import pytest

from bench import change_points


@pytest.mark.parametrize("kind", change_points.NOISES)
def test_every_noise_has_a_standard_deviation_of_1(kind: str) -> None:
    values = change_points.noise(kind, 20_000, np.random.default_rng(1))
    known = [one for one in values if one is not None]
    assert np.std(known) == pytest.approx(1, abs=0.15)
    assert len(known) / len(values) == pytest.approx(0.8 if kind == "gaps" else 1, abs=0.02)


def test_a_step_is_planted_where_it_is_said() -> None:
    assert change_points.planted([1.0, 2.0, None, 4.0], 10, 1, 3) == [1.0, 12.0, None, 4.0]
    assert change_points.planted([1.0, 2.0], 10, 1) == [1.0, 12.0]


def test_a_method_that_knows_is_always_right_and_one_that_guesses_is_not() -> None:
    found = change_points.share_found(change_points.of_steps(1), "normal", 20, 10, 5)
    assert found == 1.0
    assert change_points.share_found(lambda values: [0], "normal", 20, 10, 5) == 0.0


def test_places_are_those_of_the_series_with_its_gaps() -> None:
    values: list[float | None] = [1.0, None, 1.1, 0.9, 1.0, 1.1, None, 0.9, 1.0, 9.0, 9.1, None, 8.9, 9.0, 9.1]
    assert change_points.of_steps(1)(values) == [9]


def test_false_alarms_are_too_many_only_beyond_chance() -> None:
    assert not change_points.too_many(60, 1000)
    assert change_points.too_many(75, 1000)
