"""Rates without a formula for their inverse, and periodic rates: integral and inverse."""

from __future__ import annotations

import math
from itertools import islice, takewhile

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loadprofiles.arrivals import (
    Constant,
    Diurnal,
    LaunchDay,
    Ramp,
    Rate,
    RateSum,
    Sawtooth,
    Spike,
    Step,
)

RATES = st.one_of(st.just(0.0), st.floats(0.01, 50))
TIMES = st.floats(0.1, 60)


@st.composite
def bounds(draw: st.DrawFn) -> tuple[float, float]:
    low, high = sorted((draw(RATES), draw(RATES)))
    return low, high


SHAPES = st.one_of(
    st.builds(Constant, RATES),
    st.builds(Ramp, RATES, RATES, TIMES, TIMES),
    st.builds(Step, RATES, RATES, st.one_of(st.just(0.0), TIMES)),
    st.builds(Spike, RATES, RATES, TIMES, st.one_of(st.just(0.0), TIMES)),
    st.builds(lambda b, period: Sawtooth(b[0], b[1], period), bounds(), TIMES),
    st.builds(lambda b, period: Diurnal(b[0], b[1], period), bounds(), TIMES),
    st.builds(
        lambda b, half_life, at: LaunchDay(b[0], b[1], half_life, at),
        bounds(),
        TIMES,
        st.one_of(st.just(0.0), TIMES),
    ),
).map(lambda shape: shape.curve())
ALL_RATES = st.one_of(SHAPES, st.lists(SHAPES, min_size=1, max_size=4).map(lambda parts: RateSum(*parts)))


@given(ALL_RATES, st.floats(0, 120))
def test_the_cumulative_rate_is_the_integral_of_the_rate(curve: Rate, until: float) -> None:
    n = 6000
    width = until / n
    integral = math.fsum(curve.rate((i + 0.5) * width) for i in range(n)) * width
    # the error of the midpoint rule is at most one cell of the highest rate per step; a sawtooth has a step per period
    assert curve.cumulative(until) == pytest.approx(integral, rel=2e-3, abs=4 * 4 * 50 * width + 0.05)


@given(ALL_RATES, st.floats(0.001, 400))
def test_time_of_is_the_inverse_of_the_cumulative_rate(curve: Rate, sessions: float) -> None:
    at = curve.time_of(sessions)
    assume(at < 1e6)
    assert curve.cumulative(at) == pytest.approx(sessions, rel=1e-6, abs=1e-6)
    assert curve.cumulative(at * (1 - 1e-6)) <= sessions + 1e-9


@given(ALL_RATES, st.floats(0, 120), st.floats(0, 120))
def test_the_cumulative_rate_never_decreases(curve: Rate, a: float, b: float) -> None:
    sooner, later = sorted((a, b))
    assert 0 <= curve.cumulative(sooner) <= curve.cumulative(later) + 1e-9


@given(ALL_RATES, st.floats(0, 40))
def test_evenly_spaced_starts_match_the_expected_number_of_sessions(curve: Rate, until: float) -> None:
    starts = list(islice(takewhile(lambda at: at <= until, curve.evenly_spaced()), 2_000))
    assert starts == sorted(starts)
    assert abs(len(starts) - min(curve.cumulative(until), 2_000)) <= 0.5 + 1e-6


def test_time_of_returns_the_earliest_time_of_an_interval_without_arrivals() -> None:
    silence = RateSum(Spike(0.0, 1.0, 5.0).curve(), Step(0.0, 1.0, 60.0).curve())
    assert silence.time_of(5.0) == pytest.approx(5.0)
    assert silence.time_of(6.0) == pytest.approx(61.0)
