"""An exercise adds up its holds."""

from __future__ import annotations

from reports.gameday.exercise import Exercise


def test_only_the_part_of_a_hold_within_the_times_counts() -> None:
    exercise = Exercise(holds=[(1.0, 3.0), (10.0, 20.0)])
    assert exercise.held_s(2.0, 12.0) == 3.0
    assert exercise.held_s(4.0, 9.0) == 0.0
