"""Slow outliers: replicas with many times the time per token of the others. Exact times."""

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


def test_a_replica_at_a_tenth_of_the_speed_is_an_outlier_after_two_sweeps() -> None:
    outliers = slow_outliers()
    for expected in ([], [("b0", "10.0 x the time per token of the others")]):
        decode(outliers, a0=15, a1=15, b0=300, b1=30)
        assert outliers.sweep() == expected


def test_slower_hardware_is_not_an_outlier() -> None:
    outliers = slow_outliers([*FLEET[:3], replace(FLEET[3], step_ms=100.0)])
    for _ in range(5):
        decode(outliers, a0=15, a1=15, b0=30, b1=150)
        assert outliers.sweep() == []


def test_with_unknown_hardware_gaps_are_compared_in_seconds() -> None:
    outliers = slow_outliers([replace(FLEET[0], step_ms=0.0), *FLEET[1:]])
    for _ in range(2):
        decode(outliers, a0=15, a1=15, b0=61, b1=15)
        found = outliers.sweep()
    assert [name for name, _ in found] == ["b0"]


def test_a_pool_that_is_slow_as_a_whole_is_not_ejected() -> None:
    outliers = slow_outliers()
    for _ in range(5):
        decode(outliers, a0=15, a1=15, b0=300, b1=200)
        assert outliers.sweep() == []


def test_a_median_of_fast_gaps_clears_a_busy_replica() -> None:
    outliers = slow_outliers()
    for _ in range(5):
        decode(outliers, a0=15, a1=15, b1=30)
        for ms in (30, 30, 30, 300, 300):
            outliers.record("b0", ms / 1000, False)
        assert outliers.sweep() == []


def test_while_a_request_waits_only_gaps_above_1_5_full_steps_are_slow() -> None:
    outliers = slow_outliers()
    for gap_ms, slow in ((200, False), (299, False), (301, True)):  # ms; a full step takes 200
        for _ in range(2):
            decode(outliers, a0=15, a1=15, b1=30)
            for _ in range(5):
                outliers.record("b0", gap_ms / 1000, True)
            found = outliers.sweep()
        assert found == ([("b0", "time per token above that of a step full of prefill")] if slow else [])


def test_sequences_in_flight_lengthen_the_expected_step() -> None:
    outliers = slow_outliers()
    for _ in range(3):
        decode(outliers, a0=15, a1=15, b1=30)
        for _ in range(5):
            outliers.record("b0", 0.15, False, step_load_s=0.1)  # 150 ms where 120 are expected
        assert outliers.sweep() == []


@pytest.mark.parametrize("between", [{"b0": 30}, {}])
def test_one_slow_sweep_ejects_no_replica_and_a_good_sweep_resets_the_count(between: dict[str, float]) -> None:
    outliers = slow_outliers()
    decode(outliers, a0=15, a1=15, b0=300)
    assert outliers.sweep() == []
    decode(outliers, a0=15, a1=15, **between)
    assert outliers.sweep() == []
    decode(outliers, a0=15, a1=15, b0=300)
    assert bool(outliers.sweep()) is (not between)  # no sample: the sweeps still count as consecutive


def test_too_few_samples_or_other_replicas_find_no_outlier() -> None:
    outliers = slow_outliers()
    for _ in range(2):
        for _ in range(2):
            outliers.record("b0", 1.0, False)
        decode(outliers, a0=15)
        assert outliers.sweep() == []


def test_repeated_slowness_ejects_for_longer_until_a_good_sweep() -> None:
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


def test_without_slow_factor_no_replica_is_slow() -> None:
    outliers = slow_outliers(config=Ejection())
    for _ in range(5):
        decode(outliers, a0=15, a1=15, b0=3000, b1=30)
        assert outliers.sweep() == []


def test_a_slow_factor_of_1_is_a_configuration_error() -> None:
    with pytest.raises(ValueError, match="slow_factor must be above 1"):
        Ejection(slow_factor=1.0)
