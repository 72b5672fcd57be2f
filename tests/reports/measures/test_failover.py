"""failover, failover_rate: exact lengths of interruptions."""

from __future__ import annotations

import math

import pytest

from tests.support.measure_records import add_failovers
from tests.support.record_builder import RecordBuilder, Up, good_run
from tests.support.record_results import measured, value


def test_failover_percentiles_are_the_interruptions_of_calls(record: RecordBuilder) -> None:
    add_failovers(record)
    assert value(record, "failover.p50") == pytest.approx(1.0)
    assert value(record, "failover.p90") == pytest.approx(1.8)
    assert value(record, "failover.p95") == math.inf
    assert value(record, "failover.max") == math.inf
    assert value(record, "failover_rate") == pytest.approx(0.9)


def test_failover_max_is_0_where_calls_met_the_fault_without_interruption(record: RecordBuilder) -> None:
    record.fault(kind="slow_decode")
    record.call("s0", 0, 21.0, ups=[Up("tpu-0", 21.0, 21.7, passed_on=11)])
    assert value(record, "failover.max") == 0.0
    assert measured(record, "failover.p50").value is None


def test_without_spans_of_the_stack_only_client_measures_remain(tmp_path_factory: pytest.TempPathFactory) -> None:
    record = good_run(tmp_path_factory.mktemp("url") / "run", sessions=30)
    for place in list(record.by_instance):
        if place[0] != "brownout-loadgen":
            del record.by_instance[place]
    record.fault()
    record.experiment["stack"] = None
    assert "no gateway and no replica of ours" in measured(record, "failover.max").why_not
    assert "no replica of ours" in measured(record, "prefill_amplification").why_not
    assert "no prices" in measured(record, "cost").why_not
    assert value(record, "retry_amplification") == 1.0
    assert value(record, "ttft.p50") == pytest.approx(0.5)


def test_without_a_fault_failover_is_not_measured(good: RecordBuilder) -> None:
    assert measured(good, "failover.max").why_not == "no fault was injected"
    assert measured(good, "failover_rate").why_not == "no fault was injected"
