"""Peak EWMA. Exact numbers."""

from __future__ import annotations

from math import e, exp

import pytest

from targets.gateway.policies.balancing.peak_ewma import PeakEwma


def test_peak_ewma_rises_at_once_and_falls_slowly() -> None:
    ewma = PeakEwma(10.0)
    ewma.observe(0.0, 1.0)
    assert ewma.cost(0.0) == 1.0
    ewma.observe(0.0, 3.0)
    assert ewma.cost(0.0) == 3.0
    ewma.observe(10.0, 1.0)
    assert ewma.cost(10.0) == pytest.approx(3.0 / e + (1 - 1 / e) * 1.0)


def test_peak_ewma_decays_without_measurements() -> None:
    ewma = PeakEwma(10.0)
    ewma.observe(0.0, 2.0)
    assert ewma.cost(20.0) == pytest.approx(2.0 * exp(-2))
    assert ewma.load(0.0, 3) == 8.0


def test_an_unmeasured_replica_gets_one_request_and_then_a_penalty() -> None:
    ewma = PeakEwma(10.0)
    assert ewma.load(0.0, 0) == 0.0
    assert ewma.load(0.0, 1) > 1000.0
