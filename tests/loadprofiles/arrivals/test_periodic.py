from __future__ import annotations

import math

import pytest

from loadprofiles.arrivals import Curve, Periodic


def test_rate_integral_and_inverse_repeat_every_period() -> None:
    curve = Periodic(Curve([(0, 1.0), (4, 3.0)]), 4.0)
    assert [curve.rate(t) for t in (-1, 0, 2, 4, 6, 41)] == [0, 1, 2, 1, 2, 1.5]
    assert [curve.cumulative(t) for t in (0, 2, 4, 6, 8)] == [0, 3, 8, 11, 16]
    assert [curve.time_of(n) for n in (0, 3, 8, 11, 16)] == pytest.approx([0, 2, 4, 6, 8])


def test_a_period_without_sessions_never_reaches_one() -> None:
    assert Periodic(Curve([(0, 0.0)]), 4.0).time_of(1.0) == math.inf


def test_an_infinite_period_is_rejected() -> None:
    with pytest.raises(ValueError, match="period of a periodic rate"):
        Periodic(Curve([(0, 1)]), math.inf)
