"""Degradation of responses under load. Exact values."""

from __future__ import annotations

import pytest

from targets.gateway.config import Degradation
from targets.gateway.policies.overload.degradation import Degraded, degrade, dimmer

BROWNOUT = Degradation(
    tiers=("batch",), from_load=0.8, to_load=1.2, least_share=0.5, least_tokens=16, model="llama-3.1-8b"
)


def test_the_dimmer_falls_with_load() -> None:
    assert [dimmer(BROWNOUT, load) for load in (0.0, 0.8, 1.2, 9.0)] == [1.0, 1.0, 0.0, 0.0]
    assert dimmer(BROWNOUT, 1.0) == pytest.approx(0.5)


def test_limits_shrink_with_the_dimmer_and_at_0_another_model_serves() -> None:
    assert degrade(BROWNOUT, "batch", 0.7, 100) is None
    assert degrade(BROWNOUT, "batch", 1.0, 100) == Degraded(75)
    assert degrade(BROWNOUT, "batch", 2.0, 100) == Degraded(50, "llama-3.1-8b")
    assert degrade(BROWNOUT, "batch", 2.0, 20) == Degraded(16, "llama-3.1-8b")
    assert degrade(BROWNOUT, "batch", 1.1, 8) is None
    assert degrade(BROWNOUT, "batch", 2.0, None) == Degraded(None, "llama-3.1-8b")


def test_only_configured_tiers_are_degraded() -> None:
    assert degrade(BROWNOUT, "subscription", 9.0, 100) is None


def test_the_header_names_the_reduced_limits() -> None:
    assert Degraded(50).header == "max_tokens=50"
    assert Degraded(50, "small").header == "max_tokens=50; model=small"
    assert Degraded(None, "small").header == "model=small"


def test_to_load_below_from_load_is_a_configuration_error() -> None:
    with pytest.raises(ValueError, match="to_load must be above from_load"):
        Degradation(from_load=1.2, to_load=1.0)
