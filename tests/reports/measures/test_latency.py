"""ttft, max_gap, tpot, e2e, effective: exact values."""

from __future__ import annotations

import math

import pytest

from tests.support.record_builder import RecordBuilder, Up
from tests.support.record_results import measured, value


def test_latencies_of_one_call_have_the_defined_values(record: RecordBuilder) -> None:
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


def test_a_failed_call_has_infinite_e2e_and_effective_latency(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, ttft=0.01, tokens=2, outcome="truncated")
    assert value(record, "effective.p50") == math.inf
    assert value(record, "e2e.p50") == math.inf


def test_a_call_of_one_token_has_no_tpot(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, tokens=1)
    assert measured(record, "tpot.p50").value is None


def test_a_latency_can_be_narrowed_to_a_pool_or_a_tenant(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, ttft=0.1, ups=[Up("gpu-0", 6.0, 6.5, passed_on=11)])
    record.call("s1", 0, 6.0, ttft=0.9, tenant="globex", ups=[Up("tpu-0", 6.0, 7.0, passed_on=11)])
    assert value(record, "ttft.p50", where=("pool", "tpu")) == pytest.approx(0.9)
    assert value(record, "ttft.p50", where=("tenant", "acme")) == pytest.approx(0.1)
    assert measured(record, "ttft.p50", where=("pool", "trainium")).value is None
