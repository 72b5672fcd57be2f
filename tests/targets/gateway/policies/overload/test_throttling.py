"""Client-side throttling and degradation. Exact values."""

from __future__ import annotations

import pytest

from targets.gateway.config import Degradation, Throttling
from targets.gateway.policies.overload.degradation import Degraded, degrade, dimmer
from targets.gateway.policies.overload.throttling import Throttle

BROWNOUT = Degradation(
    tiers=("batch",), from_load=0.8, to_load=1.2, least_share=0.5, least_tokens=16, model="llama-3.1-8b"
)


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
def test_the_formula(requests: int, accepts: int, probability: float) -> None:
    assert throttle(requests, accepts).probability(0.0) == pytest.approx(probability)


def test_what_is_older_than_the_window_is_forgotten() -> None:
    made = throttle(9, 0)
    assert made.probability(119.0) == pytest.approx(0.9)
    made.refused(119.0)
    assert made.probability(120.0) == pytest.approx(1 / 2)
    assert made.probability(239.0) == 0.0


def test_the_dimmer_goes_down_with_load() -> None:
    assert [dimmer(BROWNOUT, load) for load in (0.0, 0.8, 1.2, 9.0)] == [1.0, 1.0, 0.0, 0.0]
    assert dimmer(BROWNOUT, 1.0) == pytest.approx(0.5)


def test_answers_get_shorter_with_the_dimmer_and_another_model_serves_at_its_end() -> None:
    assert degrade(BROWNOUT, "batch", 0.7, 100) is None
    assert degrade(BROWNOUT, "batch", 1.0, 100) == Degraded(75)
    assert degrade(BROWNOUT, "batch", 2.0, 100) == Degraded(50, "llama-3.1-8b")
    assert degrade(BROWNOUT, "batch", 2.0, 20) == Degraded(16, "llama-3.1-8b")
    assert degrade(BROWNOUT, "batch", 1.1, 8) is None
    assert degrade(BROWNOUT, "batch", 2.0, None) == Degraded(None, "llama-3.1-8b")


def test_only_tiers_that_allow_it_are_degraded() -> None:
    assert degrade(BROWNOUT, "subscription", 9.0, 100) is None


def test_the_header_says_what_was_done() -> None:
    assert Degraded(50).header == "max_tokens=50"
    assert Degraded(50, "small").header == "max_tokens=50; model=small"
    assert Degraded(None, "small").header == "model=small"


def test_a_wrong_configuration_is_refused() -> None:
    with pytest.raises(ValueError, match="to_load must be above from_load"):
        Degradation(from_load=1.2, to_load=1.0)
    with pytest.raises(ValueError, match="k must be at least 1"):
        Throttling(k=0.5)
