"""The times in which a replica's process was gone."""

from __future__ import annotations

import pytest

from reports.history.deaths import dead_times, mortal
from reports.history.unseen import Refused, refused_attempts, refusing
from tests.support.foreign_records import ForeignRecord
from tests.support.record_results import evidence_of


def times(record: ForeignRecord) -> list[tuple[float, float]]:
    evidence = evidence_of(record)
    phases = [phase for phase in evidence.record.phases if phase.name == "fault"]
    return [(dead.begin_s, dead.end_s) for dead in dead_times(evidence, phases)]


def test_a_crash_lasts_until_the_process_is_ready_again(foreign: ForeignRecord) -> None:
    foreign.good_call("s0", 21.0)
    foreign.died("gpu-1", at=22.0)
    foreign.ready("gpu-0", 22.5)
    foreign.ready("gpu-1", 24.0)
    assert times(foreign) == [pytest.approx((22.0, 24.0))]
    assert mortal(evidence_of(foreign)) == {"gpu-1"}


def test_a_restart_by_hand_lasts_until_a_request_reaches_the_replica(foreign: ForeignRecord) -> None:
    foreign.died("gpu-1", at=22.0)
    foreign.good_call("s0", 22.1, "gpu-0")
    foreign.good_call("s1", 23.0, "gpu-1")
    assert times(foreign) == [pytest.approx((22.0, 23.0), abs=0.01)]


def test_a_process_that_is_not_back_is_gone_until_the_end(foreign: ForeignRecord) -> None:
    foreign.good_call("s0", 21.0)
    foreign.died("gpu-1", at=22.0)
    ends = {phase.name: phase.end_s for phase in evidence_of(foreign).record.phases}
    assert times(foreign) == [pytest.approx((22.0, ends["fault"]))]


def test_a_crash_and_a_fault_at_the_same_time_are_one_time(foreign: ForeignRecord) -> None:
    foreign.fault(targets=["tpu-0"], stages={"planned": 0.0, "injected": 20.0, "reverted": 23.0, "verified": 23.0})
    foreign.good_call("s0", 21.0)
    foreign.died("tpu-0")
    foreign.died("gpu-1", at=22.0)
    foreign.ready("gpu-1", 24.0)
    assert times(foreign) == [pytest.approx((20.0, 24.0))]


def test_processes_that_end_after_the_run_refuse_nothing(foreign: ForeignRecord) -> None:
    foreign.good_call("s0", 21.0)
    foreign.died("gpu-0", "gpu-1", at=99.0)
    assert times(foreign) == []
    assert mortal(evidence_of(foreign)) == frozenset()


def test_the_end_of_the_load_is_no_death_of_a_replica(foreign: ForeignRecord) -> None:
    foreign.good_call("s0", 21.0)
    foreign.died("locust", at=22.0)
    assert times(foreign) == []


def test_attempts_that_a_crashed_replica_refused_are_counted(foreign: ForeignRecord) -> None:
    foreign.good_call("s0", 21.0)
    foreign.died("gpu-1", at=22.0)
    foreign.ready("gpu-1", 24.0)
    foreign.refusals((0.0, 0), (23.0, 4))
    evidence = evidence_of(foreign)
    assert refused_attempts(evidence, ["fault"]) == Refused(4, exact=False)
    assert refusing(evidence) == {"gpu-1"}
