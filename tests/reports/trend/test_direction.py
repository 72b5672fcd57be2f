"""Which direction of a measure is good."""

from __future__ import annotations

import pytest

from reports.measures.catalogue import CATALOGUE
from reports.trend import direction
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


def test_every_listed_measure_exists() -> None:
    assert CATALOGUE.keys() >= direction._HIGHER | direction._NEITHER


def test_a_change_is_worse_against_the_good_direction() -> None:
    assert judged_change("lower", 1, 2) == judged_change("higher", 2, 1) == "worse"
    assert judged_change("lower", 2, 1) == judged_change("higher", 1, 2) == "better"
    assert judged_change("neither", 1, 2) == judged_change("lower", 1, 1) == "changed"
