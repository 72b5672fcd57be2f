"""The cost of an engine step: the formula, its factors, and invalid coefficients."""

from __future__ import annotations

import math

import pytest

from targets.hardware.step_cost import PICOSECONDS, StepCost

TPU = StepCost(a_s=0.0157, b_s=48e-6, b2_s=1e-9, c_s=30e-6, d_s=49e-9)


def test_a_step_costs_what_the_formula_gives() -> None:
    # two prompts: 512 tokens from position 1,000, and 100 from position 0; 64 sequences decode, 96,000 context tokens
    squares = 512 * (2 * 1000 + 512) + 100 * 100
    seconds = TPU.rates().step(612, squares, 64, 96_000) / PICOSECONDS
    expected = 0.0157 + 48e-6 * 612 + 1e-9 * (512 * 1256 + 100 * 50) + 30e-6 * 64 + 49e-9 * 96_000
    assert seconds == pytest.approx(expected, abs=1e-11)


def test_a_decode_factor_slows_only_decode_work_and_a_prefill_factor_only_prefill() -> None:
    healthy = TPU.rates()
    slow = TPU.rates(decode=2.0)
    assert slow.step(0, 0, 64, 96_000) == 2 * healthy.step(0, 0, 64, 96_000)
    assert slow.step(500, 250_000, 0, 0) == healthy.step(500, 250_000, 0, 0)
    slow = TPU.rates(prefill=3.0)
    assert slow.step(0, 0, 64, 96_000) == healthy.step(0, 0, 64, 96_000)
    assert slow.step(500, 250_000, 0, 0) == 3 * healthy.step(500, 250_000, 0, 0)


@pytest.mark.parametrize("a_s", [0.0, -1.0, math.inf, math.nan])
def test_a_fixed_cost_must_be_finite_and_above_zero(a_s: float) -> None:
    with pytest.raises(ValueError, match="coefficients of a step must be"):
        StepCost(a_s, 0.0)


@pytest.mark.parametrize("factor", [0.0, -2.0, math.inf, math.nan])
def test_factors_must_be_finite_and_above_zero(factor: float) -> None:
    with pytest.raises(ValueError, match="factors must be finite"):
        TPU.rates(decode=factor)
    with pytest.raises(ValueError, match="factors must be finite"):
        TPU.rates(prefill=factor)
