"""Which direction of a measure is good."""

from __future__ import annotations

import pytest

from reports.trend.direction import Better, better_of, judged_change


@pytest.mark.parametrize(
    ("measure", "better"),
    [
        ("ttft.p95", "lower"),
        ("sessions_lost", "lower"),
        ("goodput", "higher"),
        ("fairness.min", "higher"),
        ("knee", "higher"),
        ("knee.cost_per_1k_sessions", "lower"),
        ("calls", "neither"),
    ],
)
def test_the_good_direction_of_a_measure(measure: str, better: Better) -> None:
    assert better_of(measure) == better


def test_a_measure_that_is_not_known_has_no_good_direction() -> None:
    assert better_of("nosuch.p95") == "neither"


def test_a_change_is_worse_against_the_good_direction() -> None:
    assert judged_change("lower", 1, 2) == judged_change("higher", 2, 1) == "worse"
    assert judged_change("lower", 2, 1) == judged_change("higher", 1, 2) == "better"
    assert judged_change("neither", 1, 2) == judged_change("lower", 1, 1) == "changed"
