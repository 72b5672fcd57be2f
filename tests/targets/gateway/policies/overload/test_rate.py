"""Events per second with exponential decay. Exact times."""

from __future__ import annotations

import pytest

from targets.gateway.policies.overload.rate import EventRate


def test_a_rate_decays_exponentially() -> None:
    rate = EventRate(5.0)
    assert rate.per_s(0.0) == 0.0
    for n in range(1000):
        rate.count(n / 10)
    assert rate.per_s(99.9) == pytest.approx(10.0, rel=0.02)
    assert rate.per_s(104.9) == pytest.approx(10.0 / 2.71828, rel=0.02)
