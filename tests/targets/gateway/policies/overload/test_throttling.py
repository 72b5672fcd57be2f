"""Client-side throttling. Exact values."""

from __future__ import annotations

import pytest

from targets.gateway.config import Throttling
from targets.gateway.policies.overload.throttling import Throttle


def throttle(requests: int, accepts: int, now: float = 0.0) -> Throttle:
    made = Throttle(Throttling())
    for _ in range(requests - accepts):
        made.refused(now)
    for _ in range(accepts):
        made.accepted(now)
    return made


@pytest.mark.parametrize(
    ("requests", "accepts", "probability"),
    [(0, 0, 0.0), (10, 10, 0.0), (10, 5, 0.0), (9, 0, 0.9), (9, 2, 0.5), (99, 0, 0.99)],
)
def test_the_probability_follows_the_formula_of_the_sre_book(requests: int, accepts: int, probability: float) -> None:
    assert throttle(requests, accepts).probability(0.0) == pytest.approx(probability)


def test_requests_older_than_the_window_do_not_count() -> None:
    made = throttle(9, 0)
    assert made.probability(119.0) == pytest.approx(0.9)
    made.refused(119.0)
    assert made.probability(120.0) == pytest.approx(1 / 2)
    assert made.probability(239.0) == 0.0


def test_k_below_1_is_a_configuration_error() -> None:
    with pytest.raises(ValueError, match="k must be at least 1"):
        Throttling(k=0.5)
