"""Ejection by slowness: whose tokens take many times what the others' take. Exact times."""

from __future__ import annotations

import pytest

from targets.gateway.config import Ejection
from targets.gateway.policies.ejection import OutlierEjection
from targets.gateway.policies.slowness import SlowOutliers

STEP_MS = {"a0": 10.0, "a1": 10.0, "b0": 20.0, "b1": 20.0}
CONFIG = Ejection(
    slow_factor=4.0, slow_min_tokens=20, slow_sweeps=2, sweep_s=1.0, base_s=3.0, max_s=12.0, max_share=0.5
)


def decode(outliers: SlowOutliers, **token_ms: float) -> None:
    for name, ms in token_ms.items():
        outliers.record(name, 20, 20 * ms / 1000)


def test_a_tenth_of_the_speed_is_an_outlier_after_two_sweeps() -> None:
    outliers = SlowOutliers(CONFIG, STEP_MS)
    for expected in ([], [("b0", "10.0 x the others' time a token")]):
        decode(outliers, a0=15, a1=15, b0=300, b1=30)
        assert outliers.sweep() == expected


def test_slower_hardware_is_not_a_slow_replica() -> None:
    outliers = SlowOutliers(CONFIG, {**STEP_MS, "b1": 100.0})
    for _ in range(5):
        decode(outliers, a0=15, a1=15, b0=30, b1=150)
        assert outliers.sweep() == []


def test_where_the_hardware_is_not_known_times_are_compared_as_they_are() -> None:
    outliers = SlowOutliers(CONFIG, {**STEP_MS, "a0": 0.0})
    for _ in range(2):
        decode(outliers, a0=15, a1=15, b0=61, b1=15)
        found = outliers.sweep()
    assert [name for name, _ in found] == ["b0"]


@pytest.mark.parametrize("between", [{"b0": 30}, {}])
def test_one_sweep_alone_decides_nothing_and_a_good_one_starts_anew(between: dict[str, float]) -> None:
    outliers = SlowOutliers(CONFIG, STEP_MS)
    decode(outliers, a0=15, a1=15, b0=300)
    assert outliers.sweep() == []
    decode(outliers, a0=15, a1=15, **between)
    assert outliers.sweep() == []
    decode(outliers, a0=15, a1=15, b0=300)
    assert bool(outliers.sweep()) is (not between)  # nothing seen of it: still in a row


def test_too_few_tokens_or_others_decide_nothing() -> None:
    outliers = SlowOutliers(CONFIG, STEP_MS)
    for _ in range(5):
        outliers.record("b0", 3, 3.0)
        decode(outliers, a0=15)
        assert outliers.sweep() == []


def test_it_rests_longer_each_time_until_it_is_seen_at_a_good_pace() -> None:
    ejection = OutlierEjection(CONFIG, list(STEP_MS), 0.0, STEP_MS)
    now, rests = 0.0, []
    for _ in range(4):
        while not ejection.ejected("b0"):
            now += 1.0
            decode(ejection.slow, a0=15, a1=15, b0=300, b1=30)
            ejection.advance(now)
        until = ejection.until("b0")
        assert until is not None
        rests.append(until - now)
        now = until
        assert ejection.advance(now)[0] == ["b0"]
    assert rests == [3.0, 6.0, 9.0, 12.0]
    for _ in range(5):
        now += 1.0
        decode(ejection.slow, a0=15, a1=15, b0=30, b1=30)
        assert ejection.advance(now) == ([], [])
    assert not ejection.slow.suspect("b0")


def test_without_a_factor_nobody_is_too_slow() -> None:
    outliers = SlowOutliers(Ejection(), STEP_MS)
    for _ in range(5):
        decode(outliers, a0=15, a1=15, b0=3000, b1=30)
        assert outliers.sweep() == []


def test_a_factor_of_one_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="slow_factor must be above 1"):
        Ejection(slow_factor=1.0)
