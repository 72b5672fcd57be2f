"""The step's formula, and its closed form over a jump."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.replica.engine.cost import PICOSECONDS, Jump, StepCost

TPU = StepCost(a_s=0.0157, b_s=48e-6, b2_s=1e-9, c_s=30e-6, d_s=49e-9)


def test_a_step_costs_what_the_formula_says() -> None:
    # two prompts: 512 tokens from position 1,000, and 100 from the beginning; 64 decode, 96,000 tokens of context
    squares = 512 * (2 * 1000 + 512) + 100 * 100
    seconds = TPU.rates().step(612, squares, 64, 96_000) / PICOSECONDS
    expected = 0.0157 + 48e-6 * 612 + 1e-9 * (512 * 1256 + 100 * 50) + 30e-6 * 64 + 49e-9 * 96_000
    assert seconds == pytest.approx(expected, abs=1e-11)


def test_a_decode_factor_slows_decode_work_and_a_prefill_factor_prefill_work() -> None:
    healthy = TPU.rates()
    slow = TPU.rates(decode=2.0)
    assert slow.step(0, 0, 64, 96_000) == 2 * healthy.step(0, 0, 64, 96_000)
    assert slow.step(500, 250_000, 0, 0) == healthy.step(500, 250_000, 0, 0)
    slow = TPU.rates(prefill=3.0)
    assert slow.step(0, 0, 64, 96_000) == healthy.step(0, 0, 64, 96_000)
    assert slow.step(500, 250_000, 0, 0) == 3 * healthy.step(500, 250_000, 0, 0)


@pytest.mark.parametrize("a_s", [0.0, -1.0, math.inf, math.nan])
def test_a_step_that_takes_no_time_is_refused(a_s: float) -> None:
    with pytest.raises(ValueError, match="coefficients of a step"):
        StepCost(a_s, 0.0)


@pytest.mark.parametrize("factor", [0.0, -2.0, math.inf, math.nan])
def test_factors_are_finite_and_above_zero(factor: float) -> None:
    with pytest.raises(ValueError, match="factors are finite"):
        TPU.rates(decode=factor)
    with pytest.raises(ValueError, match="factors are finite"):
        TPU.rates(prefill=factor)


@given(st.integers(1, 200), st.integers(1, 300), st.integers(0, 400_000))
def test_a_jump_ends_where_its_steps_end(steps: int, decoding: int, context: int) -> None:
    rates = TPU.rates()
    jump = Jump(7.25, 123, rates.step(0, 0, decoding, context), rates.growth(decoding), steps)
    ticks = 123
    for step in range(steps):
        ticks += rates.step(0, 0, decoding, context + step * decoding)
    assert jump.ticks(steps) == ticks
    assert jump.end_of(steps) == 7.25 + ticks / PICOSECONDS


@given(
    st.floats(0, 1e8),
    st.integers(0, 10**16),
    st.integers(1, 10**11),
    st.one_of(st.just(0), st.integers(0, 10**9)),
    st.integers(1, 3000),
    st.data(),
)
def test_a_step_is_over_at_its_end_and_not_before(
    origin: float, start: int, first: int, growth: int, steps: int, data: st.DataObject
) -> None:
    jump = Jump(origin, start, first, growth, steps)
    jump.ended = data.draw(st.integers(0, steps - 1))
    step = data.draw(st.integers(jump.ended + 1, steps))
    now = jump.end_of(step)
    over = jump.ended_by(now)
    assert step <= over <= steps
    assert jump.end_of(over) == now  # later steps only where the clock's floats cannot tell them apart
    before = jump.ended_by(math.nextafter(now, -math.inf))
    assert jump.ended <= before < step


def test_a_cut_jump_ends_with_the_step_in_flight() -> None:
    jump = Jump(0.0, 0, 1000, 10, 50)
    jump.ended = 7
    jump.cut()
    assert jump.steps == 8
