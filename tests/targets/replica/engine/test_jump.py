"""A jump: its closed form equals its steps one by one."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from targets.hardware.step_cost import PICOSECONDS, StepCost
from targets.replica.engine.jump import Jump

TPU = StepCost(a_s=0.0157, b_s=48e-6, b2_s=1e-9, c_s=30e-6, d_s=49e-9)


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
def test_a_step_has_ended_at_its_end_and_not_before(
    origin: float, start: int, first: int, growth: int, steps: int, data: st.DataObject
) -> None:
    jump = Jump(origin, start, first, growth, steps)
    jump.ended = data.draw(st.integers(0, steps - 1))
    step = data.draw(st.integers(jump.ended + 1, steps))
    now = jump.end_of(step)
    ended = jump.ended_by(now)
    assert step <= ended <= steps
    assert jump.end_of(ended) == now  # more steps than `step` only if their ends are the same float
    before = jump.ended_by(math.nextafter(now, -math.inf))
    assert jump.ended <= before < step


def test_a_truncated_jump_ends_with_the_step_in_flight() -> None:
    jump = Jump(0.0, 0, 1000, 10, 50)
    jump.ended = 7
    jump.truncate()
    assert jump.steps == 8
