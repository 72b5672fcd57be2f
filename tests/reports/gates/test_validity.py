"""Validity of a run: load, machine, spans and faults."""

from __future__ import annotations

import pytest

from reports.gates.validity import Proofs, prove
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import evidence_of


def proofs_of(record: RecordBuilder) -> Proofs:
    return prove(evidence_of(record))


def test_a_good_run_is_valid(good: RecordBuilder) -> None:
    proofs = proofs_of(good)
    assert (proofs.latency_doubts, proofs.source_doubts, proofs.fault_doubts) == ((), {}, ())
    assert proofs.loadgen["worst_cpu"] == pytest.approx(0.3)
    assert (proofs.loadgen["arrivals"], proofs.loadgen["late_arrivals"]) == (100, 0)


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


def test_a_fault_whose_lease_ran_out_is_a_doubt(good: RecordBuilder) -> None:
    good.call("s", 0, 21.0)
    good.fault(stages={"injected": 20.0, "confirmed": 20.1, "lapsed": 25.3, "reverted": 30.0, "verified": 30.1})
    assert "fault f1 (kill) was off from 25.3 s on: its lease was not renewed in time" in proofs_of(good).fault_doubts


def test_a_fault_that_was_never_injected_is_a_doubt_with_the_reason(good: RecordBuilder) -> None:
    good.fault(stages={"planned": 0.0, "failed": 20.0}, why="no such process")
    assert proofs_of(good).fault_doubts == ("fault f1 (kill) was never injected: no such process",)
