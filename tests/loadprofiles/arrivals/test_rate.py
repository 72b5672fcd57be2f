"""Rates without a formula for their inverse, and rates that come back: integral and inverse."""

from __future__ import annotations

import math
from itertools import islice, takewhile

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loadprofiles.arrivals import (
    Constant,
    Curve,
    Diurnal,
    LaunchDay,
    Periodic,
    Ramp,
    Rate,
    RateSum,
    Sawtooth,
    Shapes,
    Spike,
    Step,
    Trace,
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
    st.builds(lambda b, period: Sawtooth(*b, period), bounds(), TIMES),
    st.builds(lambda b, period: Diurnal(*b, period), bounds(), TIMES),
    st.builds(lambda b, half_life, at: LaunchDay(*b, half_life, at), bounds(), TIMES, st.one_of(st.just(0.0), TIMES)),
).map(lambda shape: shape.curve())
ALL_RATES = st.one_of(SHAPES, st.lists(SHAPES, min_size=1, max_size=4).map(lambda parts: RateSum(*parts)))


@given(ALL_RATES, st.floats(0, 120))
def test_the_cumulative_rate_is_the_integral_of_the_rate(curve: Rate, until: float) -> None:
    n = 6000
    width = until / n
    integral = math.fsum(curve.rate((i + 0.5) * width) for i in range(n)) * width
    # the midpoint rule errs by less than a cell of the highest rate at each step: a sawtooth has one a period
    assert curve.cumulative(until) == pytest.approx(integral, rel=2e-3, abs=4 * 4 * 50 * width + 0.05)


@given(ALL_RATES, st.floats(0.001, 400))
def test_time_of_is_the_inverse_of_the_cumulative_rate(curve: Rate, sessions: float) -> None:
    at = curve.time_of(sessions)
    assume(at < 1e6)
    assert curve.cumulative(at) == pytest.approx(sessions, rel=1e-6, abs=1e-6)
    assert curve.cumulative(at * (1 - 1e-6)) <= sessions + 1e-9


@given(ALL_RATES, st.floats(0, 120), st.floats(0, 120))
def test_what_is_expected_never_falls(curve: Rate, a: float, b: float) -> None:
    sooner, later = sorted((a, b))
    assert 0 <= curve.cumulative(sooner) <= curve.cumulative(later) + 1e-9


@given(ALL_RATES, st.floats(0, 40))
def test_evenly_starts_as_many_sessions_as_the_rate_says(curve: Rate, until: float) -> None:
    starts = list(islice(takewhile(lambda at: at <= until, curve.evenly_spaced()), 2_000))
    assert starts == sorted(starts)
    assert abs(len(starts) - min(curve.cumulative(until), 2_000)) <= 0.5 + 1e-6


def test_a_sawtooth_rises_and_falls_at_once_again_and_again() -> None:
    curve = Sawtooth(2.0, 6.0, 10.0).curve()
    assert [curve.rate(t) for t in (-1, 0, 5, 10, 15, 107.5)] == [0, 2, 4, 2, 4, 5]
    assert [curve.cumulative(t) for t in (0, 5, 10, 30)] == [0, 15, 40, 120]
    assert [curve.time_of(n) for n in (0, 15, 40, 55)] == [0, 5, 10, 15]


def test_a_sawtooth_may_rest_before_it_rises() -> None:
    curve = Sawtooth(2.0, 6.0, 10.0, rest_s=2.0).curve()
    assert [curve.rate(t) for t in (0, 1.9, 6, 12, 16)] == [2, 2, 4, 2, 4]
    assert curve.cumulative(10) == 4 + 32


def test_a_day_begins_and_ends_at_its_lowest_and_is_highest_half_way() -> None:
    curve = Diurnal(2.0, 8.0, 24.0).curve()
    assert [round(curve.rate(t), 9) for t in (0, 6, 12, 18, 24, 36)] == [2, 5, 8, 5, 2, 8]
    assert [curve.cumulative(t) for t in (12, 24, 48)] == pytest.approx([60, 120, 240])
    assert curve.time_of(180) == pytest.approx(36)


def test_of_a_crowd_half_is_left_each_half_life() -> None:
    curve = LaunchDay(base=2.0, peak=18.0, half_life_s=10.0, from_s=5.0).curve()
    assert [curve.rate(t) for t in (0, 4.9, 5, 15, 25)] == pytest.approx([2, 2, 18, 10, 6])
    assert curve.cumulative(15) == pytest.approx(2 * 15 + 16 * 10 / math.log(2) / 2)
    assert curve.rate(1000) == pytest.approx(2)


def test_a_crowd_around_nothing_goes_home_for_good() -> None:
    curve = LaunchDay(base=0.0, peak=math.log(2), half_life_s=10.0).curve()
    assert curve.cumulative(1e6) == pytest.approx(10)
    assert len(list(curve.evenly_spaced())) == 10
    assert curve.time_of(10.5) == math.inf


def test_a_step_changes_the_rate_once() -> None:
    curve = Step(2.0, 6.0, at_s=10.0).curve()
    assert [curve.rate(t) for t in (0, 9.9, 10, 99)] == [2, 2, 6, 6]
    assert curve.cumulative(20) == 80


def test_a_sum_adds_rates() -> None:
    curve = Shapes(sum=(Shapes(constant=Constant(2.0)), Shapes(spike=Spike(0.0, 3.0, 5.0)))).curve()
    assert [curve.rate(t) for t in (0, 4, 6)] == [5, 5, 2]
    assert curve.cumulative(10) == 35
    assert curve.time_of(35) == pytest.approx(10)


def test_the_earliest_time_is_given_where_nothing_arrives_for_a_while() -> None:
    silence = RateSum(Spike(0.0, 1.0, 5.0).curve(), Step(0.0, 1.0, 60.0).curve())
    assert silence.time_of(5.0) == pytest.approx(5.0)
    assert silence.time_of(6.0) == pytest.approx(61.0)


def test_a_trace_spreads_each_session_over_the_time_since_the_one_before() -> None:
    curve = Trace((2.0, 4.0, 4.0, 8.0)).curve()
    assert [curve.cumulative(t) for t in (0, 1, 2, 3, 4, 6, 8, 99)] == [0, 0.5, 1, 1.5, 3, 3.5, 4, 4]
    assert [curve.rate(t) for t in (1, 3, 5, 9)] == [0.5, 0.5, 0.25, 0]
    assert [curve.time_of(n) for n in (0.5, 1, 2, 2.5, 3.5, 4)] == [1, 2, 4, 4, 6, 8]
    assert curve.time_of(4.5) == math.inf


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Sawtooth(1, 2, 0).curve(),
        lambda: Diurnal(3, 2, 60).curve(),
        lambda: Diurnal(1, 2, 0).curve(),
        lambda: LaunchDay(3, 2, 10).curve(),
        lambda: LaunchDay(1, 2, 0).curve(),
        lambda: Periodic(Curve([(0, 1)]), math.inf),
        lambda: Trace(()),
        lambda: Trace((2.0, 1.0)),
        lambda: Trace((-1.0,)),
        lambda: Shapes(sum=(Shapes(constant=Constant(1)), Shapes(launch_day=LaunchDay(3, 2, 1)))),
    ],
)
def test_a_shape_that_is_no_rate_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"rate|half-life|trace"):
        wrong()  # type: ignore[operator]
