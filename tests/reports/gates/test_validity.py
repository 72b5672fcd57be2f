"""Validity of a run: load, machine, spans and faults."""

from __future__ import annotations

import pytest

from reports.gates.validity import Proofs, prove
from tests.support.foreign_records import ForeignRecord
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import evidence_of, judged


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


# -- the upstreams of a gateway that is not ours ----------------------------------------------------------------------
def test_calls_that_came_to_no_replica_leave_every_gate_undecided(foreign: ForeignRecord) -> None:
    foreign.steady(40)
    for number in range(10):
        foreign.call(f"e{number}", 0, 6.0 + number, ups=[])
        foreign.session(f"e{number}", 6.0 + number, 7.0 + number)
    (doubt,) = proofs_of(foreign).upstream_doubts
    assert doubt.startswith("10 of 50 calls that ended ok came to no replica of this run")
    for gate in judged(foreign, "calls_failed == 0", "calls_failed > 3", "goodput >= 1"):
        assert gate.verdict == "inconclusive"
        assert doubt in gate.why


def test_replicas_without_a_call_in_the_baseline_are_named(foreign: ForeignRecord) -> None:
    foreign.steady(40)
    assert proofs_of(foreign).idle_replicas == ("gpu-1",)


def test_a_fault_on_a_replica_that_never_served_did_not_hit_it(foreign: ForeignRecord) -> None:
    foreign.steady(40)
    foreign.fault(targets=("tpu-0", "gpu-1"))
    foreign.died("tpu-0")
    foreign.good_call("s0", 33.0, "tpu-0")
    assert (
        proofs_of(foreign)
        .fault_doubts[-1]
        .endswith("gpu-1 got no call before its end: does the gateway have it as an upstream?")
    )


def test_a_fault_that_hit_nothing_says_that_its_targets_never_served(foreign: ForeignRecord) -> None:
    foreign.steady(40)
    foreign.fault(targets=("gpu-1",))
    assert proofs_of(foreign).fault_doubts == (
        "fault f1 (kill) hit nothing: no call met it; "
        "gpu-1 got no call before its end: does the gateway have it as an upstream?",
    )
