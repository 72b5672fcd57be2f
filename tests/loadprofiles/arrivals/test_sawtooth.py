from __future__ import annotations

import pytest

from loadprofiles.arrivals import Sawtooth


def test_the_rate_repeatedly_rises_and_drops_at_once() -> None:
    curve = Sawtooth(2.0, 6.0, 10.0).curve()
    assert [curve.rate(t) for t in (-1, 0, 5, 10, 15, 107.5)] == [0, 2, 4, 2, 4, 5]
    assert [curve.cumulative(t) for t in (0, 5, 10, 30)] == [0, 15, 40, 120]
    assert [curve.time_of(n) for n in (0, 15, 40, 55)] == [0, 5, 10, 15]


def test_the_rate_stays_low_for_the_rest_before_it_rises() -> None:
    curve = Sawtooth(2.0, 6.0, 10.0, rest_s=2.0).curve()
    assert [curve.rate(t) for t in (0, 1.9, 6, 12, 16)] == [2, 2, 4, 2, 4]
    assert curve.cumulative(10) == 4 + 32


def test_a_period_of_zero_is_rejected() -> None:
    with pytest.raises(ValueError, match="period of a periodic rate"):
        Sawtooth(1, 2, 0).curve()
