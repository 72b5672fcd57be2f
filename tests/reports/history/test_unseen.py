"""Attempts that dead replicas refused: counted by the gateway, bounded by the kernel, or unknown."""

from __future__ import annotations

import math

import pytest

from reports.history.unseen import Refused, refused_attempts, refused_note, refusing, unseen_calls, unseen_limit
from reports.shared import attributes as names
from tests.support.foreign_records import ForeignRecord
from tests.support.record_builder import Up
from tests.support.record_results import evidence_of

FAULT = ("fault",)


def refused(record: ForeignRecord, *phases: str) -> Refused:
    return refused_attempts(evidence_of(record), phases or FAULT)


def client_refused(message: str) -> dict[str, str]:
    """Attributes of the client's attempt that had no connection."""
    return {names.OUTCOME: "refused", names.ERROR_MESSAGE: message}


@pytest.fixture
def killed(foreign: ForeignRecord) -> ForeignRecord:
    """Both replicas of a pool are dead from 20 to 31 s; a call was sent before, one meanwhile, one after."""
    foreign.fault()
    foreign.died("tpu-0", "tpu-1")
    for session, at in (("before", 10.0), ("while", 25.0), ("after", 40.0)):
        foreign.good_call(session, at)
    return foreign


def test_without_any_count_the_number_is_unknown(killed: ForeignRecord) -> None:
    found = refused(killed)
    assert found == Refused(math.inf, exact=False)
    assert bool(found)
    assert refused_note(found) == "connections that dead replicas refused are not in it, and nobody counted them"


def test_the_kernels_count_is_an_upper_bound_for_the_dead_time(killed: ForeignRecord) -> None:
    killed.refusals((0.0, 0), (12.0, 4), (22.0, 6), (31.2, 9), (45.0, 20))
    assert refused(killed) == Refused(5, exact=False)
    assert refused_note(refused(killed)) == "up to 5 connections that dead replicas may have refused are not in it"
    assert unseen_limit(evidence_of(killed)) == 5


def test_refused_connections_of_the_client_are_not_those_of_the_gateway(killed: ForeignRecord) -> None:
    killed.refusals((0.0, 0), (22.0, 1))
    killed.call("s9", 0, 21.0, ttft=None, outcome="refused", ups=[], last=client_refused("Connection refused"))
    assert refused(killed) == Refused(0, exact=False)


@pytest.mark.parametrize("message", ["", "No route to host", "Cannot assign requested address"])
def test_another_error_of_the_client_is_no_refused_connection(killed: ForeignRecord, message: str) -> None:
    killed.refusals((0.0, 0), (22.0, 1))
    killed.call("s9", 0, 21.0, ttft=None, outcome="refused", ups=[], last=client_refused(message))
    assert refused(killed) == Refused(1, exact=False)


def test_the_statistics_of_the_gateway_are_exact_and_come_first(killed: ForeignRecord) -> None:
    killed.refusals((0.0, 0), (22.0, 100))
    killed.told(1.0, gpu_0=(0, 0, True), tpu_0=(0, 1, True))
    killed.told(21.0, gpu_0=(4, 0, True), tpu_0=(2, 3, False))
    killed.told(31.4, gpu_0=(4, 0, True), tpu_0=(2, 4, True))
    assert refused(killed) == Refused(3, exact=True)


def test_statistics_that_may_be_too_low_are_a_lower_bound(killed: ForeignRecord) -> None:
    killed.told(1.0, exact=False, tpu_0=(0, 1, True))
    killed.told(21.0, exact=False, tpu_0=(2, 4, False))
    assert refused(killed) == Refused(math.inf, exact=False, at_least=3)
    killed.refusals((0.0, 0), (22.0, 8))
    assert refused(killed) == Refused(8, exact=False, at_least=3)
    assert refused_note(refused(killed)).startswith("up to 5 connections")


def test_the_kernel_counts_no_less_than_the_gateway_told(killed: ForeignRecord) -> None:
    killed.told(1.0, exact=False, tpu_0=(0, 0, True))
    killed.told(21.0, exact=False, tpu_0=(2, 4, False))
    killed.refusals((0.0, 0), (22.0, 3))
    assert refused(killed) == Refused(4, exact=False, at_least=4)


def test_a_gateway_that_logs_calls_as_they_end_is_read_until_they_have(killed: ForeignRecord) -> None:
    killed.told(1.0, tpu_0=(0, 0, None))
    killed.call("long", 0, 30.0, gaps={5: 9.0}, ups=[Up("gpu-0", 30.01, 40.0, passed_on=11)])
    killed.told(40.2, tpu_0=(2, 2, None))
    assert refused(killed) == Refused(2, exact=True)


def test_statistics_that_could_not_be_read_are_not_exact(killed: ForeignRecord) -> None:
    killed.told(1.0, tpu_0=(0, 0, True))
    killed.told(22.0)
    assert refused(killed) == Refused(math.inf, exact=False)
    killed.refusals((0.0, 0), (22.0, 7))
    assert refused(killed) == Refused(7, exact=False)


def test_statistics_that_could_be_read_again_are_a_lower_bound(killed: ForeignRecord) -> None:
    """The gateway may have started again meanwhile, and may have counted more before."""
    killed.told(1.0, tpu_0=(0, 0, True))
    killed.told(22.0)
    killed.told(30.0, tpu_0=(9, 5, True))
    assert refused(killed) == Refused(math.inf, exact=False, at_least=5)


def test_a_gap_before_the_dead_time_does_not_matter(killed: ForeignRecord) -> None:
    killed.told(1.0)
    killed.told(2.0, tpu_0=(9, 5, True))
    killed.told(22.0, tpu_0=(12, 8, True))
    assert refused(killed) == Refused(3, exact=True)


def test_a_gateway_that_started_again_counts_from_zero(killed: ForeignRecord) -> None:
    killed.told(1.0, tpu_0=(9, 7, True), tpu_1=(5, 0, True))
    killed.told(21.0, tpu_0=(11, 9, True), tpu_1=(5, 0, True))
    killed.told(24.0, tpu_0=(1, 1, True), tpu_1=(0, 0, True))
    killed.told(26.0, tpu_0=(3, 3, True), tpu_1=(9, 9, True))
    killed.refusals((0.0, 0), (26.0, 20))
    assert refused(killed) == Refused(20, exact=False, at_least=2 + 1 + 2 + 9)


def test_statistics_that_begin_during_the_fault_are_not_exact(killed: ForeignRecord) -> None:
    killed.told(25.0, tpu_0=(9, 5, True))
    assert not refused(killed).exact


@pytest.mark.parametrize("count", [None, 3])
def test_statistics_without_the_count_of_one_replica_are_not_exact(killed: ForeignRecord, count: int | None) -> None:
    killed.told(1.0, tpu_0=(0, count, True), tpu_1=(0, None, True))
    assert not refused(killed).exact


def test_two_deaths_in_a_row_count_no_attempt_twice(foreign: ForeignRecord) -> None:
    for fault, target, from_s, to_s in (("f1", "tpu-0", 20.0, 25.0), ("f2", "tpu-1", 25.5, 30.0)):
        stages = {"planned": 0.0, "injected": from_s, "confirmed": from_s, "reverted": to_s, "verified": to_s}
        foreign.fault(fault, targets=[target], stages=stages)
    foreign.good_call("s0", 24.9)
    foreign.told(1.0, tpu_0=(0, 0, True), tpu_1=(0, 0, True))
    foreign.told(25.6, tpu_0=(1, 1, True), tpu_1=(0, 0, True))
    assert refused(foreign) == Refused(1, exact=True)


def test_deaths_at_the_same_time_are_one_time(foreign: ForeignRecord) -> None:
    foreign.fault("f1", targets=["tpu-0"])
    foreign.fault("f2", targets=["tpu-1"])
    foreign.good_call("s0", 21.0)
    foreign.told(1.0, tpu_0=(0, 0, True))
    foreign.told(22.0, tpu_0=(9, 6, True))
    assert refused(foreign) == Refused(6, exact=True)


def test_outside_of_the_dead_time_nothing_is_refused(killed: ForeignRecord) -> None:
    assert refused(killed, "baseline") == Refused(0, exact=True)
    assert not refused(killed, "recovery")


@pytest.mark.parametrize("kind", ["freeze", "latency", "cut"])
def test_a_replica_that_is_not_gone_refuses_nothing(foreign: ForeignRecord, kind: str) -> None:
    foreign.fault(kind=kind)
    foreign.good_call("s0", 25.0)
    assert not refused(foreign)
    assert unseen_calls(evidence_of(foreign)) == []


def test_a_gateway_of_ours_has_seen_every_attempt(killed: ForeignRecord) -> None:
    killed.has_gateway = True
    killed.good_call("s9", 26.0)
    assert not refused(killed)


def test_a_fault_that_was_never_reverted_is_dead_until_the_end(foreign: ForeignRecord) -> None:
    foreign.fault(stages={"planned": 0.0, "injected": 20.0})
    foreign.good_call("s0", 21.0)
    foreign.refusals((0.0, 0), (40.0, 3))
    assert refused(foreign, "fault", "recovery") == Refused(3, exact=False)


def test_the_dead_time_in_two_phases_counts_no_attempt_twice(foreign: ForeignRecord) -> None:
    foreign.fault(stages={"planned": 0.0, "injected": 20.0})
    foreign.good_call("s0", 21.0)
    foreign.told(1.0, tpu_0=(0, 0, True))
    foreign.told(31.2, tpu_0=(4, 4, True))
    assert refused(foreign, "fault", "recovery") == Refused(4, exact=True)


# -- calls ------------------------------------------------------------------------------------------------------------


def test_calls_that_waited_while_a_replica_was_dead_may_have_met_it(killed: ForeignRecord) -> None:
    killed.call("met", 0, 19.4, tokens=3, outcome="truncated", ups=[Up("tpu-0", 19.41, 20.01, replica_span=False)])
    killed.good_call("queued", 19.0, ttft=2.0)
    killed.call("streams", 0, 19.0, gaps={5: 3.0}, ups=[Up("gpu-0", 19.01, 22.8, passed_on=11)])
    killed.call("failed", 0, 25.0, ttft=None, outcome="http_5xx", ups=[])
    killed.call("failed later", 0, 25.0, ttft=None, outcome="http_5xx", ups=[Up("gpu-0", 25.1, 25.2, "http_5xx")])
    killed.call("left", 0, 25.0, ttft=None, outcome="abandoned", ups=[])
    found = {one.call.session: one.failover_s for one in unseen_calls(evidence_of(killed))}
    assert found == {
        "while": pytest.approx(0.5),
        "queued": pytest.approx(2.0),
        "failed": math.inf,
        "failed later": math.inf,
    }


def test_what_several_measures_need_is_computed_once(killed: ForeignRecord) -> None:
    evidence = evidence_of(killed)
    first, limit = unseen_calls(evidence), unseen_limit(evidence)
    evidence.record.refused = [(0.0, 0), (22.0, 7)]
    assert [one.call for one in unseen_calls(evidence)] == [one.call for one in first]
    assert unseen_limit(evidence) == limit == math.inf


def test_where_no_connection_was_refused_no_call_was_unseen(killed: ForeignRecord) -> None:
    killed.refusals((0.0, 0), (45.0, 20))
    evidence = evidence_of(killed)
    assert unseen_calls(evidence) == []
    assert (unseen_limit(evidence), refusing(evidence)) == (0, frozenset())


def test_the_replicas_of_a_fault_that_kills_may_have_refused(killed: ForeignRecord) -> None:
    assert refusing(evidence_of(killed)) == {"tpu-0", "tpu-1"}
