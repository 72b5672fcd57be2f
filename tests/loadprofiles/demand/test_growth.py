"""Start times of extra sessions: exact, for any arrivals of the base load."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadprofiles.demand import Growth, extra_times


def evenly_spaced(rate: float) -> list[float]:
    return [(i + 0.5) / rate for i in range(400)]


def test_a_factor_of_3_adds_two_sessions_per_base_session() -> None:
    times = list(extra_times(iter(evenly_spaced(2.0)), Growth(2.0), 10.25))
    # four extra sessions a second from the order on; the first one when half a session is expected
    assert times[:4] == pytest.approx([10.375, 10.625, 10.875, 11.125])
    assert sum(10.25 <= at < 20.25 for at in times) == 40


def test_extra_sessions_start_between_the_order_and_the_last_base_session() -> None:
    times = list(extra_times(iter([1.0, 2.0, 3.0]), Growth(4.0), 1.5))
    assert times == pytest.approx([1.625, 1.875, 2.125, 2.375, 2.625, 2.875])


def test_the_extra_rate_follows_the_base_rate() -> None:
    base = [float(i) for i in range(1, 11)] + [10 + i / 10 for i in range(1, 101)]
    times = list(extra_times(iter(base), Growth(1.0), 0.0))
    assert sum(at < 10 for at in times) == 10
    assert sum(10 <= at < 20 for at in times) == 100


def test_simultaneous_base_sessions_add_theirs_at_the_same_time() -> None:
    assert list(extra_times(iter([5.0, 5.0]), Growth(3.0), 5.0)) == [5.0] * 3


def test_a_decaying_growth_halves_every_half_life() -> None:
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


def test_a_decaying_growth_never_exceeds_its_total() -> None:
    assert Growth(1.0, 1.0).until(0.0, 2.0) == math.inf


def test_a_growth_of_zero_adds_no_session() -> None:
    assert list(extra_times((float(i) for i in range(1, 50)), Growth(0.0), 0.0)) == []
