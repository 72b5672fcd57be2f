from __future__ import annotations

import math

import pytest

from loadprofiles.arrivals import Trace


def test_the_curve_spreads_each_session_over_the_gap_before_it() -> None:
    curve = Trace((2.0, 4.0, 4.0, 8.0)).curve()
    assert [curve.cumulative(t) for t in (0, 1, 2, 3, 4, 6, 8, 99)] == [0, 0.5, 1, 1.5, 3, 3.5, 4, 4]
    assert [curve.rate(t) for t in (1, 3, 5, 9)] == [0.5, 0.5, 0.25, 0]
    assert [curve.time_of(n) for n in (0.5, 1, 2, 2.5, 3.5, 4)] == [1, 2, 4, 4, 6, 8]
    assert curve.time_of(4.5) == math.inf


def test_arrivals_are_the_recorded_times() -> None:
    assert list(Trace((2.0, 4.0, 4.0, 8.0)).arrivals()) == [2.0, 4.0, 4.0, 8.0]


@pytest.mark.parametrize("wrong", [(), (2.0, 1.0), (-1.0,)])
def test_invalid_start_times_are_rejected(wrong: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="trace"):
        Trace(wrong)


def test_a_scaled_trace_keeps_its_course() -> None:
    """Start times are left out, or given several times, and never moved."""
    times = tuple(float(t) for t in range(10))
    assert Trace(times).scaled(0.5).times_s == (0.0, 2.0, 4.0, 6.0, 8.0)
    assert Trace(times).scaled(0.2).times_s == (2.0, 7.0)
    assert Trace(times).scaled(1.0).times_s == times
    assert Trace((1.0, 5.0)).scaled(2.5).times_s == (1.0, 1.0, 1.0, 5.0, 5.0)
    assert Trace((1.0, 5.0)).scaled(0.01).times_s == (1.0,)
