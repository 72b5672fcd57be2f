from __future__ import annotations

import math
from itertools import islice, takewhile

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loadprofiles.arrivals import Curve

RATES = st.one_of(st.just(0.0), st.floats(0.01, 50))
STEPS = st.lists(st.tuples(st.one_of(st.just(0.0), st.floats(0.1, 20)), RATES), max_size=5)


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    points = [(0.0, draw(RATES))]
    for gap, rate in draw(STEPS):
        points.append((points[-1][0] + gap, rate))
    return Curve(points)


@given(curves(), st.floats(0, 120))
def test_the_cumulative_rate_is_the_integral_of_the_rate(curve: Curve, until: float) -> None:
    n = 4000
    width = until / n
    integral = sum(curve.rate((i + 0.5) * width) for i in range(n)) * width
    # the midpoint rule has an error only at steps: at most one cell of the highest rate per step
    assert curve.cumulative(until) == pytest.approx(integral, abs=6 * 50 * width + 1e-9)


@given(curves(), st.floats(0.001, 400))
def test_time_of_is_the_inverse_of_the_cumulative_rate(curve: Curve, sessions: float) -> None:
    at = curve.time_of(sessions)
    assume(at < 1e6)
    assert curve.cumulative(at) == pytest.approx(sessions, rel=1e-6, abs=1e-6)
    assert curve.cumulative(at * (1 - 1e-6)) <= sessions


@given(curves(), st.floats(0, 60))
def test_evenly_spaced_starts_match_the_expected_number_of_sessions(curve: Curve, until: float) -> None:
    starts = list(islice(takewhile(lambda at: at <= until, curve.evenly_spaced()), 10_000))
    assert starts == sorted(starts)
    assert abs(len(starts) - curve.cumulative(until)) <= 0.5 + 1e-6


def test_arrivals_end_when_the_rate_stays_at_zero() -> None:
    curve = Curve([(0, 4.0), (10, 0.0)])
    assert len(list(curve.evenly_spaced())) == 20
    assert curve.time_of(20.5) == math.inf


def test_the_rate_is_zero_before_the_load_starts() -> None:
    curve = Curve([(0, 3.0)])
    assert curve.rate(-1) == 0
    assert curve.cumulative(-1) == 0


@pytest.mark.parametrize("points", [[], [(1, 1.0)], [(0, 1.0), (5, 1.0), (4, 1.0)], [(0, -1.0)], [(0, math.inf)]])
def test_invalid_points_are_rejected(points: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="rate"):
        Curve(points)
