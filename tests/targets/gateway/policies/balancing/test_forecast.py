"""Predicted work and expected output of a call. Exact numbers."""

from __future__ import annotations

import pytest

from targets.gateway.policies.balancing.forecast import CallSize, OutputForecast, step_share_s, work_s
from tests.support.candidates import SIZE, upstream


def test_work_is_prefill_plus_the_time_added_to_each_decode_step() -> None:
    assert step_share_s(upstream(), SIZE) == pytest.approx(0.001 + 0.001050)
    assert work_s(upstream(), SIZE) == pytest.approx(0.1 + 100 * 0.00205)
    assert work_s(upstream(), SIZE, cached_tokens=900) == pytest.approx(0.05 + 0.205)  # at most half counts as cached


def test_a_long_output_is_as_much_work_as_many_short_calls() -> None:
    long, short = CallSize(1000, 5000.0), CallSize(1000, 100.0)
    assert work_s(upstream(), long) / work_s(upstream(), short) == pytest.approx((0.1 + 5000 * 0.0045) / 0.305)


def test_expected_output_is_the_learnt_share_of_the_limit() -> None:
    forecast = OutputForecast()
    assert forecast.expect(400) == 400.0
    assert forecast.expect(None) == 256.0
    forecast.learn(400, 200)
    assert forecast.expect(400) == pytest.approx(400 * 0.975)
    assert forecast.expect(None) == pytest.approx(256 - 0.05 * 56)
    for _ in range(400):
        forecast.learn(32_000, 320)
    assert forecast.expect(32_000) == pytest.approx(320, rel=0.01)
