"""Ejection by slowness: whose tokens take many times what the others' take. Exact times."""

from __future__ import annotations

from dataclasses import replace

import pytest

from targets.gateway.config import Ejection, Upstream
from targets.gateway.policies.health.ejection import OutlierEjection
from targets.gateway.policies.health.slowness import SlowOutliers
from tests.support.candidates import upstream

CONFIG = Ejection(
    slow_factor=4.0, slow_min_samples=5, slow_sweeps=2, sweep_s=1.0, base_s=3.0, max_s=12.0, max_share=0.5
)
FLEET = [
    *(replace(upstream(name, "a"), step_ms=10.0) for name in ("a0", "a1")),
    *(replace(upstream(name, "b"), step_ms=20.0) for name in ("b0", "b1")),
]


def slow_outliers(fleet: list[Upstream] = FLEET, config: Ejection = CONFIG) -> SlowOutliers:
    return SlowOutliers(config, {each.name: each for each in fleet})


def decode(outliers: SlowOutliers, **gap_ms: float) -> None:
    for name, ms in gap_ms.items():
        for _ in range(5):
            outliers.record(name, ms / 1000, False)


def test_a_tenth_of_the_speed_is_an_outlier_after_two_sweeps() -> None:
    outliers = slow_outliers()
    for expected in ([], [("b0", "10.0 x the time per token of the others")]):
        decode(outliers, a0=15, a1=15, b0=300, b1=30)
        assert outliers.sweep() == expected


def test_slower_hardware_is_not_a_slow_replica() -> None:
    outliers = slow_outliers([*FLEET[:3], replace(FLEET[3], step_ms=100.0)])
    for _ in range(5):
        decode(outliers, a0=15, a1=15, b0=30, b1=150)
        assert outliers.sweep() == []


def test_where_the_hardware_is_not_known_times_are_compared_as_they_are() -> None:
    outliers = slow_outliers([replace(FLEET[0], step_ms=0.0), *FLEET[1:]])
    for _ in range(2):
        decode(outliers, a0=15, a1=15, b0=61, b1=15)
        found = outliers.sweep()
    assert [name for name, _ in found] == ["b0"]


def test_a_pool_that_is_slow_as_a_whole_is_not_taken_away() -> None:
    outliers = slow_outliers()
    for _ in range(5):
        decode(outliers, a0=15, a1=15, b0=300, b1=200)
        assert outliers.sweep() == []


def test_some_quick_tokens_clear_a_busy_replica() -> None:
    outliers = slow_outliers()
    for _ in range(5):
        decode(outliers, a0=15, a1=15, b1=30)
        for ms in (30, 30, 30, 300, 300):
            outliers.record("b0", ms / 1000, False)
        assert outliers.sweep() == []


def test_while_somebody_waits_only_what_no_full_step_explains_is_slow() -> None:
    outliers = slow_outliers()
    for gap_ms, slow in ((200, False), (299, False), (301, True)):  # a full step takes 200
        for _ in range(2):
            decode(outliers, a0=15, a1=15, b1=30)
            for _ in range(5):
                outliers.record("b0", gap_ms / 1000, True)
            found = outliers.sweep()
        assert found == ([("b0", "time per token above that of a step full of prefill")] if slow else [])


def test_sequences_in_flight_explain_longer_steps() -> None:
    outliers = slow_outliers()
    for _ in range(3):
        decode(outliers, a0=15, a1=15, b1=30)
        for _ in range(5):
            outliers.record("b0", 0.15, False, step_load_s=0.1)  # 150 ms where 120 are expected
        assert outliers.sweep() == []


@pytest.mark.parametrize("between", [{"b0": 30}, {}])
def test_one_sweep_alone_decides_nothing_and_a_good_one_starts_anew(between: dict[str, float]) -> None:
    outliers = slow_outliers()
    decode(outliers, a0=15, a1=15, b0=300)
    assert outliers.sweep() == []
    decode(outliers, a0=15, a1=15, **between)
    assert outliers.sweep() == []
    decode(outliers, a0=15, a1=15, b0=300)
    assert bool(outliers.sweep()) is (not between)  # nothing seen of it: still in a row


def test_too_few_samples_or_others_decide_nothing() -> None:
    outliers = slow_outliers()
    for _ in range(2):
        for _ in range(2):
            outliers.record("b0", 1.0, False)
        decode(outliers, a0=15)
        assert outliers.sweep() == []


def test_it_rests_longer_each_time_until_it_is_seen_at_a_good_pace() -> None:
    ejection = OutlierEjection(CONFIG, FLEET)
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
    outliers = slow_outliers(config=Ejection())
    for _ in range(5):
        decode(outliers, a0=15, a1=15, b0=3000, b1=30)
        assert outliers.sweep() == []


def test_a_factor_of_one_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="slow_factor must be above 1"):
        Ejection(slow_factor=1.0)
