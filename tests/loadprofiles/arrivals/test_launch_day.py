from __future__ import annotations

import math

import pytest

from loadprofiles.arrivals import LaunchDay


def test_the_rate_above_base_halves_every_half_life() -> None:
    curve = LaunchDay(base=2.0, peak=18.0, half_life_s=10.0, from_s=5.0).curve()
    assert [curve.rate(t) for t in (0, 4.9, 5, 15, 25)] == pytest.approx([2, 2, 18, 10, 6])
    assert curve.cumulative(15) == pytest.approx(2 * 15 + 16 * 10 / math.log(2) / 2)
    assert curve.rate(1000) == pytest.approx(2)


def test_with_base_zero_the_number_of_sessions_is_finite() -> None:
    curve = LaunchDay(base=0.0, peak=math.log(2), half_life_s=10.0).curve()
    assert curve.cumulative(1e6) == pytest.approx(10)
    assert len(list(curve.evenly_spaced())) == 10
    assert curve.time_of(10.5) == math.inf


@pytest.mark.parametrize(("wrong", "says"), [(LaunchDay(3, 2, 10), "base <= peak"), (LaunchDay(1, 2, 0), "half-life")])
def test_invalid_numbers_are_rejected(wrong: LaunchDay, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        wrong.curve()
