"""The Gradient2 limit. Exact values."""

from __future__ import annotations

import pytest

from targets.gateway.config import Concurrency
from targets.gateway.policies.overload.aimd import AIMDLimit
from targets.gateway.policies.overload.gradient2 import Gradient2Limit

EACH = Concurrency(window_s=0.0, window_samples=1)  # every sample is a window


def feed(limit: Gradient2Limit | AIMDLimit, *waits: float, in_flight: int = 1000, dropped: bool = False) -> list[int]:
    places = []
    for waited in waits:
        limit.sample(0.0, waited, in_flight, dropped)
        places.append(limit.places)
    return places


def test_gradient2_grows_by_the_smoothed_growth_while_waits_are_constant() -> None:
    assert feed(Gradient2Limit(EACH), 1.0, 1.0, 1.0, 1.0, 1.0) == [20, 21, 22, 23, 24]  # + 0.2 x 4 per sample


def test_gradient2_follows_the_ratio_of_long_to_short_average() -> None:
    limit = Gradient2Limit(Concurrency(window_s=0.0, window_samples=1, initial=100))
    limit.sample(0.0, 2.0, 100, False)
    long = 1.0 + 2.0 / 601
    gradient = 1.5 * long / 2.0
    assert limit._limit == pytest.approx(0.8 * 100 + 0.2 * (gradient * 100 + 4))


def test_gradient2_at_most_halves_and_stays_within_its_bounds() -> None:
    limit = Gradient2Limit(Concurrency(window_s=0.0, window_samples=1, initial=100, most=101))
    assert feed(limit, 50.0) == [90]  # 0.8 x 100 + 0.2 x (50 + 4) = 90.8
    assert feed(limit, *[50.0] * 40)[-1] == 20
    assert feed(Gradient2Limit(Concurrency(window_s=0.0, window_samples=1, most=22)), *[1.0] * 20)[-1] == 22


def test_gradient2_does_not_grow_while_less_than_half_is_used() -> None:
    assert feed(Gradient2Limit(EACH), *[1.0] * 5, in_flight=9) == [20] * 5
    assert feed(Gradient2Limit(EACH), *[1.0] * 5, in_flight=10)[:2] == [20, 20]  # 20.8 / 2 > 10: grows once


def test_gradient2_updates_once_per_full_window() -> None:
    limit = Gradient2Limit(Concurrency(window_s=1.0, window_samples=3))
    for now in (0.0, 0.9, 1.0):
        limit.sample(now, 1.0, 100, False)
    assert limit._limit == pytest.approx(20.8)
    limit.sample(2.5, 1.0, 100, False)
    limit.sample(3.6, 1.0, 100, False)
    assert limit._limit == pytest.approx(20.8)  # long enough, but too few samples
    limit.sample(3.6, 1.0, 100, False)
    assert limit._limit == pytest.approx(21.6)


def test_gradient2_recognises_an_overload_from_the_start() -> None:
    assert feed(Gradient2Limit(Concurrency(window_s=0.0, window_samples=1, initial=100)), 3.0)[0] < 100


def test_gradient2_decays_the_long_average_after_an_overload() -> None:
    limit = Gradient2Limit(EACH)
    feed(limit, *[10.0] * 3000)
    before = limit._long
    assert before == pytest.approx(10.0, rel=0.001)
    feed(limit, 1.0)
    assert limit._long == pytest.approx((before + (1.0 - before) * 2 / 601) * 0.95)
