"""Limits on concurrency: Gradient2, AIMD, fixed. Exact values."""

from __future__ import annotations

import pytest

from targets.gateway.config import Concurrency
from targets.gateway.policies.overload.aimd import AIMDLimit
from targets.gateway.policies.overload.concurrency import excess_wait_s, make_limit
from targets.gateway.policies.overload.fixed import FixedLimit
from targets.gateway.policies.overload.gradient2 import Gradient2Limit

EACH = Concurrency(window_s=0.0, window_samples=1)  # every sample is a window


def feed(limit: Gradient2Limit | AIMDLimit, *waits: float, in_flight: int = 1000, dropped: bool = False) -> list[int]:
    places = []
    for waited in waits:
        limit.sample(0.0, waited, in_flight, dropped)
        places.append(limit.places)
    return places


def test_a_long_prompt_is_no_wait() -> None:
    assert excess_wait_s(Concurrency(base_s=1.0), 1.5, 1.4) == pytest.approx(1.1)
    assert excess_wait_s(Concurrency(base_s=1.0), 0.2, 1.4) == 1.0
    assert excess_wait_s(Concurrency(base_s=0.5), 3.0, 1.0) == 2.5


def test_gradient2_grows_by_the_smoothed_growth_while_waits_stay_as_they_are() -> None:
    assert feed(Gradient2Limit(EACH), 1.0, 1.0, 1.0, 1.0, 1.0) == [20, 21, 22, 23, 24]  # + 0.2 x 4 each


def test_gradient2_follows_the_ratio_of_long_to_short() -> None:
    limit = Gradient2Limit(Concurrency(window_s=0.0, window_samples=1, initial=100))
    limit.sample(0.0, 2.0, 100, False)
    long = 1.0 + 2.0 / 601
    gradient = 1.5 * long / 2.0
    assert limit._limit == pytest.approx(0.8 * 100 + 0.2 * (gradient * 100 + 4))


def test_gradient2_halves_at_most_and_stays_within_its_bounds() -> None:
    limit = Gradient2Limit(Concurrency(window_s=0.0, window_samples=1, initial=100, most=101))
    assert feed(limit, 50.0) == [90]  # 0.8 x 100 + 0.2 x (50 + 4) = 90.8
    assert feed(limit, *[50.0] * 40)[-1] == 20
    assert feed(Gradient2Limit(Concurrency(window_s=0.0, window_samples=1, most=22)), *[1.0] * 20)[-1] == 22


def test_gradient2_does_not_grow_while_less_than_half_is_used() -> None:
    assert feed(Gradient2Limit(EACH), *[1.0] * 5, in_flight=9) == [20] * 5
    assert feed(Gradient2Limit(EACH), *[1.0] * 5, in_flight=10)[:2] == [20, 20]  # 20.8 / 2 > 10: once


def test_gradient2_judges_by_windows() -> None:
    limit = Gradient2Limit(Concurrency(window_s=1.0, window_samples=3))
    for now in (0.0, 0.9, 1.0):
        limit.sample(now, 1.0, 100, False)
    assert limit._limit == pytest.approx(20.8)
    limit.sample(2.5, 1.0, 100, False)
    limit.sample(3.6, 1.0, 100, False)
    assert limit._limit == pytest.approx(20.8)  # long enough, too few
    limit.sample(3.6, 1.0, 100, False)
    assert limit._limit == pytest.approx(21.6)


def test_gradient2_sees_an_overload_that_was_there_from_the_start() -> None:
    assert feed(Gradient2Limit(Concurrency(window_s=0.0, window_samples=1, initial=100)), 3.0)[0] < 100


def test_gradient2_forgets_an_overload_that_is_over() -> None:
    limit = Gradient2Limit(EACH)
    feed(limit, *[10.0] * 3000)
    before = limit._long
    assert before == pytest.approx(10.0, rel=0.001)
    feed(limit, 1.0)
    assert limit._long == pytest.approx((before + (1.0 - before) * 2 / 601) * 0.95)


def test_aimd_backs_off_on_a_drop_or_a_slow_one_and_creeps_up_while_it_is_used() -> None:
    limit = AIMDLimit(Concurrency(kind="aimd", initial=50))
    assert feed(limit, 1.0, 1.0) == [51, 52]
    assert feed(limit, 1.0, in_flight=20) == [52]
    assert feed(limit, 5.1) == [46]
    assert feed(limit, 1.0, dropped=True) == [41]
    assert feed(limit, *[1.0] * 40, dropped=True)[-1] == 20


def test_fixed_stays() -> None:
    limit = FixedLimit(Concurrency(kind="fixed", initial=30))
    limit.sample(0.0, 99.0, 30, True)
    assert limit.places == 30


@pytest.mark.parametrize(("kind", "made"), [("gradient2", Gradient2Limit), ("aimd", AIMDLimit), ("fixed", FixedLimit)])
def test_a_kind_chooses_its_limit(kind: str, made: type) -> None:
    assert isinstance(make_limit(Concurrency(kind=kind)), made)  # type: ignore[arg-type]


def test_a_wrong_configuration_is_refused() -> None:
    with pytest.raises(ValueError, match="initial must be between least and most"):
        Concurrency(initial=5)
    with pytest.raises(ValueError, match="tolerance"):
        Concurrency(tolerance=0.9)
