"""Latencies, counts and shares of calls: exact values."""

from __future__ import annotations

import math

import pytest
from scipy.stats import binomtest

from reports.shared import attributes as names
from tests.support.record_builder import RecordBuilder, Up, measured, value


def test_latencies_of_one_call_are_those_of_the_design(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, tokens=11, ttft=0.5, token_s=0.02, gaps={4: 0.3}, lateness=0.05)
    e2e = 0.5 + 9 * 0.02 + 0.3
    assert value(record, "ttft.p50") == pytest.approx(0.5)
    assert value(record, "e2e.p50") == pytest.approx(e2e)
    assert value(record, "effective.p50") == pytest.approx(e2e + 0.05)
    assert value(record, "tpot.p50") == pytest.approx((e2e - 0.5) / 10)
    assert value(record, "max_gap.max") == pytest.approx(0.3)
    assert value(record, "itl.p50") == pytest.approx(0.02)
    assert value(record, "itl.max") == pytest.approx(0.3)


def test_a_percentile_is_the_value_at_its_rank(record: RecordBuilder) -> None:
    for index in range(100):
        record.call(f"s{index}", 0, 6.0 + index / 100, ttft=(index + 1) / 100)
    assert value(record, "ttft.p50") == pytest.approx(0.50)
    assert value(record, "ttft.p95") == pytest.approx(0.95)
    assert value(record, "ttft.p99") == pytest.approx(0.99)
    assert value(record, "ttft.max") == pytest.approx(1.00)


def test_a_call_without_a_token_has_an_infinite_ttft_and_no_tpot(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, ttft=None, outcome="http_5xx")
    assert value(record, "ttft.p50") == math.inf
    assert measured(record, "tpot.p50").value is None
    assert measured(record, "max_gap.p50").value is None


def test_failing_fast_does_not_look_fast(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, ttft=0.01, tokens=2, outcome="truncated")
    assert value(record, "effective.p50") == math.inf
    assert value(record, "e2e.p50") == math.inf


def test_a_call_of_one_token_has_no_tpot(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, tokens=1)
    assert measured(record, "tpot.p50").value is None


def test_counts_are_by_phase_and_together_over_baseline_fault_and_recovery(record: RecordBuilder) -> None:
    for at in (1.0, 6.0, 7.0, 21.0, 32.0, 52.0):
        record.call(f"s{at}", 0, at, outcome="http_5xx" if at == 21.0 else "ok", ttft=None if at == 21.0 else 0.5)
    assert value(record, "calls") == 4
    assert (value(record, "calls", "warmup"), value(record, "calls", "baseline")) == (1, 2)
    assert (value(record, "calls_ok"), value(record, "calls_failed")) == (3, 1)
    assert value(record, "error_rate") == pytest.approx(0.25)
    assert value(record, "calls_failed", "fault") == 1


def test_goodput_is_tokens_of_good_calls_a_second_of_their_phase(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, tokens=30)
    record.call("s1", 0, 6.0, tokens=60, ttft=2.1)  # late: misses the objective
    record.call("s2", 0, 6.0, tokens=60, token_s=0.11)  # slow: misses the objective
    record.call("s3", 0, 6.0, tokens=60, outcome="truncated")
    record.call("s4", 0, 6.0, tokens=15)
    assert value(record, "goodput", "baseline") == pytest.approx(45 / 15)
    assert value(record, "slo_attainment", "baseline") == pytest.approx(2 / 5)


def test_slo_attainment_without_objectives_is_not_measured(record: RecordBuilder) -> None:
    record.experiment["slo"] = {}
    record.call("s0", 0, 6.0)
    assert "no objectives" in measured(record, "slo_attainment").why_not


def test_pools_and_tenants_narrow_a_measure(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, ttft=0.1, ups=[Up("gpu-0", 6.0, 6.5, passed_on=11)])
    record.call("s1", 0, 6.0, ttft=0.9, tenant="globex", ups=[Up("tpu-0", 6.0, 7.0, passed_on=11)])
    assert value(record, "ttft.p50", where=("pool", "tpu")) == pytest.approx(0.9)
    assert value(record, "ttft.p50", where=("tenant", "acme")) == pytest.approx(0.1)
    assert measured(record, "ttft.p50", where=("pool", "trainium")).value is None


def test_integrity_counts_what_the_client_saw(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, its={names.TOKENS_LOST: 3, names.TOKENS_DUPLICATED: 2, names.TOKENS_SPLICED: 4})
    record.call("s1", 0, 6.0, outcome="truncated", its={names.SILENTLY_TRUNCATED: True, names.TOKENS_LOST: 5})
    record.call("s2", 0, 6.0, outcome="truncated")  # a visible failure: no terminal event, and none missing
    record.call("s3", 0, 6.0, its={names.TERMINALS: 2})
    assert value(record, "lost_tokens") == 8
    assert value(record, "duplicated_tokens") == 2
    assert value(record, "spliced_streams") == 1
    assert value(record, "silent_truncations") == 1
    assert value(record, "missing_terminal") == 1
    assert value(record, "double_terminal") == 1


def test_a_good_runs_integrity_is_all_zero(good: RecordBuilder) -> None:
    for name in (
        "lost_tokens",
        "duplicated_tokens",
        "spliced_streams",
        "silent_truncations",
        "missing_terminal",
        "double_terminal",
    ):
        assert value(good, name) == 0


def test_tokens_that_cannot_be_proved_are_not_measured(record: RecordBuilder) -> None:
    unprovable = {names.CALL_PROVABLE: False, names.TOKENS_LOST: None, names.SILENTLY_TRUNCATED: None}
    record.call("s0", 0, 6.0, its=unprovable)
    assert "cannot be proved" in measured(record, "silent_truncations").why_not
    assert value(record, "double_terminal") == 0


def test_the_interval_of_a_share_is_wilsons(record: RecordBuilder) -> None:
    for index in range(100):
        record.call(f"s{index}", 0, 6.0 + index / 100, outcome="truncated" if index < 4 else "ok")
    found = measured(record, "slo_attainment")
    assert found.value == 0.96
    assert found.interval is not None
    theirs = binomtest(96, 100).proportion_ci(method="wilson")
    assert found.interval() == pytest.approx((theirs.low, theirs.high))
    assert (found.samples, found.sessions) == (100, 100)
