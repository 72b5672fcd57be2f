"""Which extra sessions start when: exact times, whatever the base's arrivals are."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadprofiles.demand import Growth, extra_times


def evenly_spaced(rate: float) -> list[float]:
    return [(i + 0.5) / rate for i in range(400)]


def test_a_rate_three_times_as_high_brings_two_extra_sessions_for_each_of_the_base() -> None:
    times = list(extra_times(iter(evenly_spaced(2.0)), Growth(2.0), 10.25))
    # four extra sessions a second from then on, the first when half of one is expected
    assert times[:4] == pytest.approx([10.375, 10.625, 10.875, 11.125])
    assert sum(10.25 <= at < 20.25 for at in times) == 40


def test_none_starts_before_the_order_and_none_after_the_bases_last() -> None:
    times = list(extra_times(iter([1.0, 2.0, 3.0]), Growth(4.0), 1.5))
    assert times == pytest.approx([1.625, 1.875, 2.125, 2.375, 2.625, 2.875])


def test_it_ebbs_and_flows_with_the_base() -> None:
    base = [float(i) for i in range(1, 11)] + [10 + i / 10 for i in range(1, 101)]
    times = list(extra_times(iter(base), Growth(1.0), 0.0))
    assert sum(at < 10 for at in times) == 10
    assert sum(10 <= at < 20 for at in times) == 100


def test_sessions_of_the_base_that_start_together_bring_theirs_at_that_time() -> None:
    assert list(extra_times(iter([5.0, 5.0]), Growth(3.0), 5.0)) == [5.0] * 3


def test_a_decaying_surge_is_halved_every_half_life() -> None:
    growth = Growth(8.0, 10.0)
    assert [growth.at(t) for t in (0, 10, 20)] == [8.0, 4.0, 2.0]
    assert growth.between(0, 10) == pytest.approx(4 * 10 / math.log(2))
    times = list(extra_times(iter(evenly_spaced(5.0)), growth, 0.1))
    first, second = (sum(a <= at - 0.1 < a + 10 for at in times) for a in (0, 10))
    assert first == pytest.approx(5 * 4 * 10 / math.log(2), abs=1)
    assert second == pytest.approx(first / 2, abs=1)


@given(
    extra=st.floats(0.1, 50),
    half_life=st.none() | st.floats(0.5, 100),
    begin=st.floats(0, 50),
    length=st.floats(0, 20),
)
def test_until_is_the_inverse_of_between(extra: float, half_life: float | None, begin: float, length: float) -> None:
    growth = Growth(extra, half_life)
    amount = growth.between(begin, begin + length)
    if growth.at(begin + length) > 1e-6 and amount > 1e-6:
        assert growth.between(begin, growth.until(begin, amount)) == pytest.approx(amount, rel=1e-6)


def test_a_decaying_surge_never_brings_more_than_its_whole() -> None:
    assert Growth(1.0, 1.0).until(0.0, 2.0) == math.inf


def test_nothing_extra_brings_nothing() -> None:
    assert list(extra_times((float(i) for i in range(1, 50)), Growth(0.0), 0.0)) == []
