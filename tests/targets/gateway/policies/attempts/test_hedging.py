"""The hedge delay and budget. Exact numbers."""

from __future__ import annotations

from typing import Any

import pytest

from targets.gateway.config import Hedging
from targets.gateway.policies.attempts.hedging import HedgePolicy


def hedges(**changes: Any) -> HedgePolicy:
    return HedgePolicy(Hedging(**{"percentile": 0.95, "share": 0.05, "window": 100, "min_samples": 20, **changes}))


def test_the_hedge_delay_is_the_percentile_of_recent_times() -> None:
    policy = hedges()
    for _ in range(20):
        policy.deposit()
    for n in range(1, 20):
        policy.record(n / 10)
    assert policy.after_s() is None  # 19 samples are too few
    policy.record(2.0)
    assert policy.after_s() == 1.9  # the 19th of 20 samples
    for _ in range(100):
        policy.record(0.3)  # older samples leave the window
    assert policy.after_s() == 0.3
    assert hedges(least_s=0.5).after_s() is None


def test_the_hedge_delay_is_at_least_least_s() -> None:
    policy = hedges(least_s=0.05)
    for _ in range(20):
        policy.deposit()
        policy.record(0.001)
    assert policy.after_s() == 0.05


def test_the_hedge_budget_starts_empty_and_saves_at_most_five() -> None:
    policy = hedges()
    assert not policy.withdraw()
    for _ in range(19):
        policy.deposit()
    assert not policy.withdraw()
    policy.deposit()
    assert policy.withdraw()
    assert not policy.withdraw()
    for _ in range(1000):
        policy.deposit()
    assert [policy.withdraw() for _ in range(6)] == [True] * 5 + [False]


def test_min_samples_above_the_window_is_a_configuration_error() -> None:
    with pytest.raises(ValueError, match="min_samples must be at most window"):
        Hedging(window=10, min_samples=11)
