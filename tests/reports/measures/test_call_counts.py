"""calls, calls_ok, calls_failed, error_rate."""

from __future__ import annotations

import pytest

from tests.support.measure_records import add_calls_of_tenant
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import judged, value


def test_counts_are_per_phase_or_over_baseline_fault_and_recovery(record: RecordBuilder) -> None:
    for at in (1.0, 6.0, 7.0, 21.0, 32.0, 52.0):
        record.call(f"s{at}", 0, at, outcome="http_5xx" if at == 21.0 else "ok", ttft=None if at == 21.0 else 0.5)
    assert value(record, "calls") == 4
    assert (value(record, "calls", "warmup"), value(record, "calls", "baseline")) == (1, 2)
    assert (value(record, "calls_ok"), value(record, "calls_failed")) == (3, 1)
    assert value(record, "error_rate") == pytest.approx(0.25)
    assert value(record, "calls_failed", "fault") == 1


def test_call_counts_can_be_narrowed_to_a_tier(record: RecordBuilder) -> None:
    add_calls_of_tenant(record, "acme", 6.0, 3, tier="subscription")
    add_calls_of_tenant(record, "hooli", 7.0, 1, 1, tier="batch")
    assert value(record, "calls", where=("tier", "batch")) == 2
    assert value(record, "slo_attainment", where=("tier", "subscription")) == 1.0
    (result,) = judged(record, "calls for tier=batch == 2")
    assert result.verdict == "pass"
