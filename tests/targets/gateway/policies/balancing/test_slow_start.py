"""The weight of a replica in slow start. Exact numbers."""

from __future__ import annotations

import pytest

from targets.gateway.config import SlowStart
from targets.gateway.policies.balancing.slow_start import weight


def test_the_weight_rises_from_min_weight_to_1_over_the_window() -> None:
    config = SlowStart(window_s=10.0, min_weight=0.1)
    assert [weight(config, at) for at in (0.0, 0.5, 5.0, 9.0, 10.0)] == [0.1, 0.1, 0.5, 0.9, 1.0]
    assert weight(None, 0.0) == 1.0
    assert weight(SlowStart(window_s=10.0, aggression=2.0), 2.5) == pytest.approx(0.5)
