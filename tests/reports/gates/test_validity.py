"""Validity of a run: load, machine, spans and faults."""

from __future__ import annotations

from typing import Any

import pytest

from reports.gates.validity import Proofs, prove
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import evidence_of


def proofs_of(record: RecordBuilder) -> Proofs:
    return prove(evidence_of(record))


def lateness(total: int, late: int) -> dict[str, Any]:
    """Counters of a replica: `late` of `total` tokens were 20 to 50 ms late, the others on time."""
    counts = {"1": total - late, "2": 0, "3": 0, "5": 0, "10": 0, "20": 0, "50": late, "inf": 0}
    return {"token_lateness_ms": {"count": total, "buckets": counts}}


def test_a_good_run_is_valid(good: RecordBuilder) -> None:
    proofs = proofs_of(good)
    assert (proofs.latency_doubts, proofs.source_doubts, proofs.fault_doubts) == ((), {}, ())
    assert proofs.loadgen["worst_cpu"] == pytest.approx(0.3)
    assert (proofs.loadgen["arrivals"], proofs.loadgen["late_arrivals"]) == (100, 0)


@pytest.mark.parametrize(("late", "sound"), [(2, True), (3, False)])
def test_more_than_2_percent_of_late_sessions_is_a_doubt(record: RecordBuilder, late: int, sound: bool) -> None:
    record.load_gauges(arrivals=100, late=late)
    proofs = proofs_of(record)
    assert proofs.loadgen["sound"] is sound
    assert sound or "started over 100 ms late" in proofs.latency_doubts[0]


def test_a_burst_of_cpu_shorter_than_5_s_is_no_doubt(record: RecordBuilder) -> None:
    cpu = 0.0
    for second in range(56):
        cpu += 1.0 if 25 <= second < 29 else 0.4
        record.gauge("locust", second, kind="load", data={"arrivals": 1, "load_started": None}, cpu_s=cpu)
    proofs = proofs_of(record)
    assert proofs.latency_doubts == ()
    assert proofs.loadgen["worst_cpu"] == pytest.approx((4 * 1.0 + 0.4) / 5)


@pytest.mark.parametrize(("late", "doubts"), [(10, 0), (11, 1)])
def test_token_lateness_is_judged_at_its_p99(record: RecordBuilder, late: int, doubts: int) -> None:
    record.gauge("gpu-0", 4.0, kind="replica", data=lateness(500, 400))  # the warm-up's do not count
    record.gauge("gpu-0", 4.9, kind="replica", data=lateness(500, 400))
    record.gauge("gpu-0", 50.0, kind="replica", data=lateness(1500, 400 + late))
    proofs = proofs_of(record)
    assert len(proofs.latency_doubts) == doubts
    assert proofs.machine["tokens"] == 1000
    assert proofs.machine["token_lateness_p99_ms"] == (1.0 if late == 10 else 50.0)


def test_late_tokens_of_a_frozen_replica_do_not_count(record: RecordBuilder) -> None:
    record.fault(kind="freeze", targets=("tpu-0",))
    for at, late in ((6.0, 0), (19.9, 0), (30.1, 300), (31.9, 600), (32.1, 600), (50.0, 600)):
        record.gauge("tpu-0", at, kind="replica", data=lateness(1000 + int(at), late))
    assert [doubt for doubt in proofs_of(record).latency_doubts if "late" in doubt] == []


@pytest.mark.parametrize(("late", "sound"), [(10, True), (11, False)])
def test_the_gateways_loop_may_be_late_in_one_check_of_a_hundred(record: RecordBuilder, late: int, sound: bool) -> None:
    record.gauge("gateway", 4.0, kind="gateway", data={"replicas": {}}, ticks=(80, 80))  # the warm-up's do not count
    record.gauge("gateway", 5.0, kind="gateway", data={"replicas": {}}, lag_s=0.06, ticks=(100, 90))
    record.gauge("gateway", 45.0, kind="gateway", data={"replicas": {}}, ticks=(1100, 90 + late))
    proofs = proofs_of(record)
    assert proofs.machine["sound"] is sound
    assert proofs.machine["gateway_loop_lag_max_s"] == 0.06


def test_lost_spans_are_counted_by_process_and_are_a_doubt_of_their_source(good: RecordBuilder) -> None:
    received = good.count("gateway#1")
    good.gauge("gateway", 55.0, kind="gateway", data={"replicas": {}}, started=received + 5, final=True)
    proofs = proofs_of(good)
    (gateway,) = [count for count in proofs.spans if count.instance == "gateway#1"]
    assert (gateway.started, gateway.received, gateway.lost, gateway.lost_by_fault) == (received + 5, received, 5, 0)
    assert list(proofs.source_doubts) == ["gateway"]
    assert "5 of" in proofs.source_doubts["gateway"][0]


def test_one_lost_span_in_a_thousand_is_no_doubt(good: RecordBuilder) -> None:
    for index in range(300):
        good.call(f"more{index}", 0, 6.0 + index / 30)
    good.gauge("gateway", 55.0, kind="gateway", data={}, started=good.count("gateway#1") + 1, final=True)
    proofs = proofs_of(good)
    assert sum(count.lost for count in proofs.spans) == 1
    assert proofs.source_doubts == {}


def test_spans_lost_with_a_killed_replica_are_counted_separately(good: RecordBuilder) -> None:
    good.call("s", 0, 6.0)
    good.gauge("tpu-0", 19.9, kind="replica", data={}, started=12)
    good.event("process", 20.0, name="tpu-0", incarnation=1, kind="replica", event="exited", status=-9, expected=True)
    proofs = proofs_of(good)
    (replica,) = [count for count in proofs.spans if count.instance == "tpu-0#1"]
    assert (replica.lost, replica.lost_by_fault) == (0, 12)
    assert proofs.source_doubts == {}


def test_spans_of_a_process_that_crashed_are_lost(good: RecordBuilder) -> None:
    good.gauge("tpu-0", 19.9, kind="replica", data={}, started=12)
    good.event("process", 20.0, name="tpu-0", incarnation=1, kind="replica", event="exited", status=-11, expected=False)
    assert "replica" in proofs_of(good).source_doubts


def test_a_fault_that_was_never_injected_is_a_doubt_with_the_reason(good: RecordBuilder) -> None:
    good.fault(stages={"planned": 0.0, "failed": 20.0}, why="no such process")
    assert proofs_of(good).fault_doubts == ("fault f1 (kill) was never injected: no such process",)
