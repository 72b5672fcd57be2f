"""Times as people read them."""

from __future__ import annotations

import math

import pytest

from reports.gameday.words import clock_text, ended_text, span_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0:00"), (247.4, "4:07"), (3725.0, "1:02:05"), (-12.0, "-0:12"), (-0.2, "0:00"), (math.inf, "–")],
)
def test_a_time_of_the_exercise_is_minutes_and_seconds(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 s"), (0.35, "350 ms"), (4.24, "4.2 s"), (83.4, "83 s"), (125.0, "2 min 5 s"), (math.inf, "never")],
)
def test_a_length_is_rounded_as_people_need_it(seconds: float, text: str) -> None:
    assert span_text(seconds) == text


def test_an_end_that_is_not_recorded_is_said() -> None:
    assert ended_text("", ended=False) == "no end is recorded"
    assert ended_text("", ended=True) == "reverted; the record does not say why"
    assert ended_text("repair", ended=True) == "repaired by an operation"
