"""goodput: tokens of good calls per second."""

from __future__ import annotations

import pytest

from tests.support.measure_records import add_calls_of_tenant
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import judged, value


def test_goodput_counts_tokens_of_good_calls_per_second(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0, tokens=30)
    record.call("s1", 0, 6.0, tokens=60, ttft=2.1)  # late: misses the objective
    record.call("s2", 0, 6.0, tokens=60, token_s=0.11)  # slow: misses the objective
    record.call("s3", 0, 6.0, tokens=60, outcome="truncated")
    record.call("s4", 0, 6.0, tokens=15)
    assert value(record, "goodput", "baseline") == pytest.approx(45 / 15)
    assert value(record, "slo_attainment", "baseline") == pytest.approx(2 / 5)


def test_goodput_compared_with_the_baseline_passes_while_slo_attainment_falls(
    record: RecordBuilder,
) -> None:
    record.fault("f1", "surge", ("load",), hits=1)
    for second in range(15):
        add_calls_of_tenant(record, "acme", 5.0 + second, 2)
    for second in range(11):
        add_calls_of_tenant(record, "acme", 20.0 + second, 2, 8)
    kept, share = judged(record, "goodput during fault >= 0.4 x baseline", "slo_attainment during fault >= 50%")
    assert (kept.verdict, share.verdict) == ("pass", "fail")
    assert kept.factor == pytest.approx(1.0, abs=0.1)


def test_tokens_count_in_the_phase_in_which_they_arrived(record: RecordBuilder) -> None:
    record.fault(hits=1)
    record.call("s0", 0, 18.0, tokens=60, ttft=1.0, token_s=0.05)  # 19.0 to 21.95 s; the fault begins at 20
    assert value(record, "goodput", "baseline") == pytest.approx(20 / 15)
    assert value(record, "goodput", "fault") == pytest.approx(40 / 11)
    assert value(record, "goodput") == pytest.approx(60 / 46)


def test_without_a_chunk_log_tokens_are_spread_over_the_stream(record: RecordBuilder) -> None:
    record.fault(hits=1)
    record.call("s0", 0, 18.0, tokens=61, ttft=1.0, token_s=0.05, log=False)  # 19.0 to 22.0 s
    assert value(record, "goodput", "baseline") == pytest.approx(61 / 3 / 15)
    assert value(record, "goodput", "fault") == pytest.approx(61 * 2 / 3 / 11)


def test_the_number_of_sessions_is_chance_in_the_interval_of_goodput(record: RecordBuilder) -> None:
    for index in range(100):
        record.call(f"s{index}", 0, 5.0 + index / 10)
    (gate,) = judged(record, "goodput in baseline >= 1 tok/s")
    assert gate.interval is not None
    assert gate.value is not None
    low, high = gate.interval
    assert (high - low) / gate.value == pytest.approx(4 * 0.1, rel=0.15)  # of 100 Poisson arrivals
