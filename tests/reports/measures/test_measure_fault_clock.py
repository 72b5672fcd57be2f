"""A failure on the clock: detect, fail over, recover, readmit, and who was touched. Exact values."""

from __future__ import annotations

import math

import pytest

from tests.support.record_builder import RecordBuilder, Up, good_run, measured, migrated, value


def with_failovers(record: RecordBuilder) -> RecordBuilder:
    """Ten calls that met the fault: gaps of 0.2, 0.4, ... 1.8 s, and one that was lost."""
    record.fault()
    for index in range(1, 10):
        record.call(
            f"m{index}",
            0,
            19.4,
            gaps={3: index / 5},
            ups=migrated(20.01, resumed=19.94 + index / 5, sent=19.4, passed_on=3),
        )
        record.session(f"m{index}", 19.4, 24.0)
    lost = [Up("tpu-1", 19.401, 20.01, "reset", passed_on=3, replica_span=False)]
    record.call("m10", 0, 19.4, tokens=3, outcome="truncated", ups=lost)
    record.session("m10", 19.4, 20.01, "lost")
    return record


def test_failovers_have_exact_lengths(record: RecordBuilder) -> None:
    with_failovers(record)
    assert value(record, "failover.p50") == pytest.approx(1.0)
    assert value(record, "failover.p90") == pytest.approx(1.8)
    assert value(record, "failover.p95") == math.inf
    assert value(record, "failover.max") == math.inf
    assert value(record, "failover_rate") == pytest.approx(0.9)


def test_a_fault_that_met_calls_and_interrupted_none_has_a_longest_failover_of_zero(record: RecordBuilder) -> None:
    record.fault(kind="slow_decode")
    record.call("s0", 0, 21.0, ups=[Up("tpu-0", 21.0, 21.7, passed_on=11)])
    assert value(record, "failover.max") == 0.0
    assert measured(record, "failover.p50").value is None


def test_without_a_fault_nothing_about_one_is_measured(good: RecordBuilder) -> None:
    for name in (
        "failover.max",
        "failover_rate",
        "time_to_detect",
        "time_to_recover",
        "time_to_readmit",
        "goodput_lost",
    ):
        assert "no fault was injected" in measured(good, name).why_not
    assert "no fault was injected" in measured(good, "blast_radius.sessions").why_not


def test_detection_is_the_first_reaction_of_the_gateway_to_a_faulted_replica(record: RecordBuilder) -> None:
    record.fault()
    record.transition(20.1, "gpu-0", "ejected")  # not a faulted one
    record.transition(20.2, "tpu-0", "readmitted")  # not a reaction
    record.transition(20.8, "tpu-0", "breaker_open")
    record.call("s0", 0, 6.0)
    assert value(record, "time_to_detect") == pytest.approx(0.8)
    record.call("s1", 0, 19.4, gaps={3: 0.7}, ups=migrated(20.01, resumed=20.64, sent=19.4, passed_on=3))
    assert value(record, "time_to_detect") == pytest.approx(0.02)


def test_a_fault_that_nobody_noticed_was_never_detected(record: RecordBuilder) -> None:
    record.fault()
    record.call("s0", 0, 21.0, tokens=3, outcome="truncated", ups=[Up("tpu-0", 21.0, 21.6, "truncated", passed_on=3)])
    assert value(record, "time_to_detect") == math.inf


def degraded(record: RecordBuilder, until: float) -> None:
    """Twenty calls a second from 5 to 51 s; from 20 s to `until`, half of them fail."""
    for tick in range(5 * 20, 51 * 20):
        at = tick / 20 + 0.001
        bad = 20.0 <= at < until and tick % 2 == 0
        record.call(f"s{tick}", 0, at, tokens=2, ttft=0.01, outcome="http_5xx" if bad else "ok")


def test_recovery_is_the_first_window_from_which_all_stays_well(record: RecordBuilder) -> None:
    record.fault()
    degraded(record, until=34.0)
    # a window of 5 s tolerates 10 points: 1 s of it at half; so it begins 3 s after the revert, and 0.1 s on the grid
    assert value(record, "time_to_recover") == pytest.approx(3.0, abs=0.11)


def test_a_run_that_never_gets_well_has_never_recovered(record: RecordBuilder) -> None:
    record.fault()
    degraded(record, until=51.0)
    assert value(record, "time_to_recover") == math.inf


def test_a_run_that_is_well_at_the_revert_recovers_at_once(record: RecordBuilder) -> None:
    record.fault()
    degraded(record, until=25.0)
    assert value(record, "time_to_recover") == 0.0


def test_goodput_lost_is_the_share_of_good_calls_missing(record: RecordBuilder) -> None:
    record.fault()
    degraded(record, until=31.0)
    # from 20 s to 51 s: 620 calls offered, 110 of them failed, in a baseline without failures
    assert value(record, "goodput_lost") == pytest.approx(110 / 620)


def test_readmission_is_the_first_good_call_at_the_slowest_replica(record: RecordBuilder) -> None:
    record.fault()
    record.call("a", 0, 30.5, ttft=3.0, ups=[Up("tpu-0", 30.5, 34.0, passed_on=11)])  # ok, but not good
    record.call("b", 0, 31.2, ups=[Up("tpu-0", 31.2, 31.9, passed_on=11)])
    assert value(record, "time_to_readmit") == math.inf
    record.call("c", 0, 33.5, ups=[Up("tpu-1", 33.5, 34.2, passed_on=11)])
    assert value(record, "time_to_readmit") == pytest.approx(3.5)


def test_blast_radius_is_who_met_the_fault_and_who_failed_from_it(record: RecordBuilder) -> None:
    with_failovers(record)
    for index in range(30):
        record.call(f"q{index}", 0, 25.0)
        record.session(f"q{index}", 25.0, 26.0)
    assert value(record, "blast_radius.sessions") == pytest.approx(10 / 40)
    assert value(record, "blast_radius.failed_sessions") == pytest.approx(1 / 40)
    assert value(record, "blast_radius.tenants") == 1.0
    assert value(record, "blast_radius.pools") == pytest.approx(1 / 2)


def test_a_record_that_ends_in_the_fault_has_no_recovery(tmp_path_factory: pytest.TempPathFactory) -> None:
    record = RecordBuilder(tmp_path_factory.mktemp("cut") / "run")
    record.phases({"setup": -3.0, "warmup": 0.0, "baseline": 5.0, "fault": 20.0})
    record.fault(stages={"planned": 0.0, "injected": 20.0})
    record.call("s0", 0, 21.0)
    assert "before the last fault was reverted" in measured(record, "time_to_recover").why_not
    assert "before the last fault was reverted" in measured(record, "time_to_readmit").why_not


def test_a_target_by_url_has_no_failovers_but_latencies(tmp_path_factory: pytest.TempPathFactory) -> None:
    record = good_run(tmp_path_factory.mktemp("url") / "run", sessions=30)
    for place in list(record.by_instance):
        if place[0] != "brownout-loadgen":
            del record.by_instance[place]
    record.fault()
    record.experiment["stack"] = None
    assert "neither a gateway nor replicas" in measured(record, "failover.max").why_not
    assert "no replica of ours" in measured(record, "prefill_amplification").why_not
    assert "no prices" in measured(record, "cost").why_not
    assert value(record, "retry_amplification") == 1.0
    assert value(record, "ttft.p50") == pytest.approx(0.5)
