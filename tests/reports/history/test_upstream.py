"""Attempts of a gateway that is not ours, made of the requests at our replicas."""

from __future__ import annotations

import math

import pytest

from reports.history.calls import Call
from reports.history.encounters import Encounter
from reports.shared import attributes as names
from tests.support.foreign_records import ForeignRecord
from tests.support.record_builder import Try, Up
from tests.support.record_results import evidence_of

KILLED = Up("tpu-0", 19.401, 20.01, "reset", passed_on=3, replica_span=False)
"""A request that was open when its replica was killed."""


def calls_of(record: ForeignRecord) -> list[Call]:
    return evidence_of(record).calls.calls


def encounters(record: ForeignRecord) -> list[Encounter]:
    return list(evidence_of(record).impacts[0].encounters)


def attempts(call: Call) -> list[tuple[str, str]]:
    return [(attempt.replica, attempt.reason) for attempt in call.attempts]


@pytest.mark.parametrize("propagates", [True, False])
def test_a_killed_request_is_an_attempt_of_its_call(foreign: ForeignRecord, propagates: bool) -> None:
    foreign.propagates = propagates
    foreign.fault()
    foreign.died("tpu-0")
    again = Up("gpu-1", 20.05, 21.0, passed_on=8, offset=3)
    foreign.call("s0", 0, 19.4, gaps={3: 0.9}, ups=[KILLED, again])
    (met,) = encounters(foreign)
    assert attempts(met.call) == [("tpu-0", "first"), ("gpu-1", "migration")]
    assert [a.passed_on for a in met.call.attempts] == [3, 8]
    assert met.failover_s == pytest.approx(0.9)
    assert (met.saved, met.from_replica, met.to_replica) == (True, "tpu-0", "gpu-1")
    assert met.call.joined == ("trace" if propagates else "key")


def test_a_lost_request_that_was_tried_again_before_the_kill_did_not_meet_it(foreign: ForeignRecord) -> None:
    foreign.fault()
    foreign.died("tpu-0")
    failed = Up("tpu-0", 19.001, 19.1, "http_5xx", replica_span=False)
    foreign.call("s0", 0, 19.0, ttft=0.6, ups=[failed, Up("gpu-0", 19.4, 20.5, passed_on=11)])
    (call,) = calls_of(foreign)
    assert [(a.replica, a.passed_on) for a in call.attempts] == [("tpu-0", 0), ("gpu-0", 11)]
    assert call.attempts[0].end_s == pytest.approx(19.4, abs=0.002)
    assert encounters(foreign) == []


def test_a_lost_request_that_was_hedged_before_the_kill_met_it(foreign: ForeignRecord) -> None:
    foreign.fault()
    foreign.died("tpu-0")
    hedge = Up("gpu-0", 19.6, 19.91, "abandoned")
    foreign.call("s0", 0, 19.4, ups=[KILLED, hedge], tokens=3, outcome="truncated")
    (met,) = encounters(foreign)
    assert (met.from_replica, met.failover_s) == ("tpu-0", math.inf)


def test_a_killed_request_that_nobody_continued_is_lost(foreign: ForeignRecord) -> None:
    foreign.fault()
    foreign.died("tpu-0")
    foreign.call("s0", 0, 19.4, tokens=3, outcome="truncated", ups=[KILLED])
    (met,) = encounters(foreign)
    assert (met.failover_s, met.saved, met.interrupted, met.from_replica) == (math.inf, False, True, "tpu-0")


def test_a_call_that_ended_before_the_kill_did_not_meet_it(foreign: ForeignRecord) -> None:
    """Its span was lost, because the replica was killed before it had exported it."""
    foreign.fault()
    foreign.died("tpu-0")
    foreign.call("s0", 0, 19.0, ups=[Up("tpu-0", 19.001, 19.7, passed_on=11, replica_span=False)])
    (call,) = calls_of(foreign)
    assert attempts(call) == [("tpu-0", "first")]
    assert call.attempts[0].end_s == pytest.approx(19.7)
    assert encounters(foreign) == []


def test_a_call_ends_ok_although_the_span_of_its_attempt_was_lost(foreign: ForeignRecord) -> None:
    """The last byte was on its way when the process died: the call met the fault and was not interrupted."""
    foreign.fault()
    foreign.died("tpu-0")
    foreign.call("s0", 0, 19.305, ups=[Up("tpu-0", 19.306, 20.005, passed_on=11, replica_span=False)])
    (met,) = encounters(foreign)
    assert (met.saved, met.interrupted) == (True, False)


def test_a_request_after_the_client_has_left_is_work_of_its_call(foreign: ForeignRecord) -> None:
    foreign.propagates = False
    foreign.call("s0", 0, 21.0, outcome="timeout", ttft=None, ups=[Up("gpu-0", 30.0, 31.0, "ok", decoded=11)])
    evidence = evidence_of(foreign)
    (call,) = evidence.calls.calls
    assert attempts(call) == [("gpu-0", "first")]
    assert evidence.calls.unjoined_requests == []
    assert call.attempts[0].passed_on == 0


def test_a_late_request_belongs_to_the_last_call_sent_before_it(foreign: ForeignRecord) -> None:
    """A client that repeats a broken call sends the same marker again."""
    foreign.propagates = False
    foreign.call("s0", 0, 21.0, outcome="truncated", ttft=None, ups=[Up("gpu-0", 21.01, 21.1, "reset")])
    foreign.call("s0", 0, 25.0, ups=[Up("gpu-1", 25.01, 25.7, passed_on=11)])
    foreign.call("s0", 0, 40.0, ups=[Up("gpu-0", 27.0, 27.1)])
    first, second, third = calls_of(foreign)
    assert [len(call.attempts) for call in (first, second, third)] == [1, 2, 0]


def test_a_request_before_its_call_was_sent_is_not_joined(foreign: ForeignRecord) -> None:
    foreign.propagates = False
    foreign.call("s0", 0, 21.0, ups=[Up("gpu-0", 20.0, 20.5)])
    assert len(evidence_of(foreign).calls.unjoined_requests) == 1


def test_requests_belong_to_the_client_attempt_that_sent_them(foreign: ForeignRecord) -> None:
    tries = [Try(21.0, 21.5, "http_5xx", 503)]
    ups = [Up("gpu-0", 21.01, 21.49, "http_5xx"), Up("gpu-1", 22.01, 23.0, passed_on=11)]
    foreign.call("s0", 0, 21.0, ttft=1.5, tries=tries, last={"start": 22.0}, ups=ups)
    foreign.propagates = False
    foreign.call("s1", 0, 21.0, ttft=1.5, tries=tries, last={"start": 22.0}, ups=ups)
    traced, by_marker = calls_of(foreign)
    assert [a.client_attempt for a in by_marker.attempts] == [0, 1]
    assert attempts(by_marker) == [("gpu-0", "first"), ("gpu-1", "first")]
    assert [a.replica for a in traced.attempts] == ["gpu-0", "gpu-1"]


def test_a_second_request_for_the_same_client_attempt_is_a_retry(foreign: ForeignRecord) -> None:
    ups = [Up("gpu-0", 21.01, 21.1, "http_5xx"), Up("gpu-1", 21.12, 21.7, passed_on=11)]
    foreign.call("s0", 0, 21.0, ups=ups)
    assert attempts(calls_of(foreign)[0]) == [("gpu-0", "first"), ("gpu-1", "retry")]


def test_the_conversation_decides_where_a_gateway_sends_a_wrong_trace(foreign: ForeignRecord) -> None:
    """A gateway that sends one traceparent with every request."""
    for index in range(3):
        at = 21.0 + index
        foreign.call(f"s{index}", 0, at, ups=[Up("gpu-0", at + 0.001, at + 0.7, passed_on=11)])
    spans = foreign.by_instance["brownout-replica", "gpu-0#1"]
    for span in spans:
        span.trace_id, span.parent_span_id = spans[0].trace_id, spans[0].parent_span_id
    evidence = evidence_of(foreign)
    assert [len(call.attempts) for call in evidence.calls.calls] == [1, 1, 1]
    assert evidence.calls.joined == {"trace": 1, "key": 2, "none": 0}


def test_a_hedge_that_was_given_up_takes_no_tokens_from_the_killed_attempt(foreign: ForeignRecord) -> None:
    foreign.fault()
    foreign.died("tpu-0")
    hedge = Up("gpu-0", 19.6, 19.91, "abandoned")
    again = Up("gpu-1", 20.05, 23.0, passed_on=8, offset=3)
    foreign.call("s0", 0, 19.4, gaps={3: 2.5}, ups=[KILLED, hedge, again])
    (met,) = encounters(foreign)
    assert [(a.replica, a.passed_on) for a in met.call.attempts] == [("tpu-0", 3), ("gpu-0", 0), ("gpu-1", 8)]
    assert met.failover_s == pytest.approx(2.5)


def test_a_hedge_takes_no_tokens_from_an_attempt_that_is_still_open(foreign: ForeignRecord) -> None:
    ups = [Up("gpu-0", 21.01, 21.71, passed_on=11), Up("gpu-1", 21.3, 21.52, "abandoned", decoded=1)]
    foreign.call("s0", 0, 21.0, ups=ups)
    (call,) = calls_of(foreign)
    assert (call.attempts[0].passed_on, call.replica) == (11, "gpu-0")


def test_a_call_was_served_by_the_attempt_that_ended_ok(foreign: ForeignRecord) -> None:
    ups = [Up("gpu-0", 21.01, 21.71, passed_on=11), Up("gpu-1", 21.3, 21.52, "abandoned", passed_on=2)]
    foreign.call("s0", 0, 21.0, ups=ups)
    (call,) = calls_of(foreign)
    assert call.attempts[1].passed_on > 0
    assert call.replica == "gpu-0"


def test_a_request_to_a_frozen_process_began_while_it_was_frozen(foreign: ForeignRecord) -> None:
    foreign.fault(kind="freeze", targets=["tpu-0"])
    ups = [Up("tpu-0", 30.05, 30.06, "abandoned"), Up("gpu-0", 26.0, 27.0, passed_on=11)]
    foreign.call("s0", 0, 24.0, ttft=2.5, ups=ups)
    (met,) = encounters(foreign)
    assert attempts(met.call) == [("tpu-0", "first"), ("gpu-0", "retry")]
    assert met.call.attempts[0].start_s == pytest.approx(24.0)
    assert (met.met_s, met.failover_s) == pytest.approx((24.0, 2.5))
    assert met.to_replica == "gpu-0"


def test_a_retry_just_after_the_thaw_did_not_wait_at_the_frozen_process(foreign: ForeignRecord) -> None:
    foreign.fault(kind="freeze", targets=["tpu-0"])
    ups = [Up("gpu-0", 24.01, 30.02, "http_5xx"), Up("tpu-0", 30.05, 31.5, passed_on=11)]
    foreign.call("s0", 0, 24.0, ttft=7.0, ups=ups)
    assert encounters(foreign) == []
    assert calls_of(foreign)[0].attempts[1].start_s == pytest.approx(30.05, abs=0.002)


def test_a_call_that_was_sent_just_before_the_thaw_met_the_freeze(foreign: ForeignRecord) -> None:
    foreign.fault(kind="freeze", targets=["tpu-0"])
    foreign.call("s0", 0, 29.9, ups=[Up("tpu-0", 30.02, 30.6, passed_on=11)])
    (met,) = encounters(foreign)
    assert met.met_s == pytest.approx(29.9)


def test_a_retry_at_a_frozen_process_waited_from_the_end_of_the_attempt_before(foreign: ForeignRecord) -> None:
    foreign.fault(kind="freeze", targets=["tpu-0"])
    ups = [Up("gpu-0", 24.01, 24.5, "http_5xx"), Up("tpu-0", 30.05, 31.5, passed_on=11)]
    foreign.call("s0", 0, 24.0, ttft=7.0, ups=ups)
    (met,) = encounters(foreign)
    assert met.met_s == pytest.approx(24.5, abs=0.002)
    assert met.to_replica == "tpu-0"


def test_a_request_well_after_the_freeze_did_not_meet_it(foreign: ForeignRecord) -> None:
    foreign.fault(kind="freeze", targets=["tpu-0"])
    foreign.good_call("s0", 30.5, "tpu-0")
    assert encounters(foreign) == []


def test_each_death_of_a_flapping_replica_ends_the_requests_of_its_time(foreign: ForeignRecord) -> None:
    foreign.fault(kind="flap", targets=["tpu-0"])
    foreign.died("tpu-0", at=20.01, incarnation=1)
    foreign.died("tpu-0", at=25.01, incarnation=2)
    for session, at, died in (("s0", 19.4, 20.01), ("s1", 24.4, 25.01)):
        up = Up("tpu-0", at + 0.001, died, "reset", passed_on=3, replica_span=False)
        foreign.call(session, 0, at, tokens=3, outcome="truncated", ups=[up])
    first, second = calls_of(foreign)
    ended = {a.span.instance: a.end_s for call in (first, second) for a in call.attempts}
    assert ended == pytest.approx({"tpu-0#1": 20.01, "tpu-0#2": 25.01})


def test_several_faults_at_once_are_met_each_by_its_own_calls(foreign: ForeignRecord) -> None:
    foreign.fault("f1", targets=["tpu-0"])
    foreign.fault("f2", kind="freeze", targets=["gpu-1"])
    foreign.died("tpu-0")
    foreign.call("s0", 0, 19.4, tokens=3, outcome="truncated", ups=[KILLED])
    foreign.call("s1", 0, 25.0, ttft=6.0, ups=[Up("gpu-1", 30.02, 31.5, passed_on=11)])
    killed, frozen = evidence_of(foreign).impacts
    assert [(e.call.session, e.saved) for e in killed.encounters] == [("s0", False)]
    assert [(e.call.session, e.saved, e.interrupted) for e in frozen.encounters] == [("s1", True, True)]


@pytest.mark.parametrize("fields", [{}, {"span": ""}, {"span": "no hexadecimal"}])
def test_a_line_that_names_no_span_is_no_second_request(foreign: ForeignRecord, fields: dict[str, str]) -> None:
    foreign.good_call("s0", 21.0)
    foreign.line("gpu-0", 21.001, session="s0", agent="main", turn=0, **fields)
    assert [len(call.attempts) for call in calls_of(foreign)] == [1]


def test_a_line_that_is_there_twice_is_one_request(foreign: ForeignRecord) -> None:
    foreign.fault()
    foreign.died("tpu-0")
    foreign.call("s0", 0, 19.4, tokens=3, outcome="truncated", ups=[KILLED])
    foreign.lines["tpu-0"] *= 2
    assert [len(call.attempts) for call in calls_of(foreign)] == [1]


def test_a_lost_request_without_a_marker_or_a_trace_joins_nothing(foreign: ForeignRecord) -> None:
    foreign.good_call("s0", 19.5)
    foreign.line("tpu-0", 19.6, span=foreign.lost_span())
    evidence = evidence_of(foreign)
    assert [request.replica for request in evidence.calls.unjoined_requests] == ["tpu-0"]
    assert len(evidence.calls.calls[0].attempts) == 1


def test_a_clock_that_is_behind_loses_no_request(foreign: ForeignRecord) -> None:
    """The runner's clock is 0.2 s behind that of the replica: the request began after its process had ended."""
    foreign.fault()
    foreign.died("tpu-0", at=19.9)
    up = Up("tpu-0", 20.1, 20.2, "reset", replica_span=False)
    foreign.call("s0", 0, 20.05, outcome="reset", ttft=None, ups=[up])
    (met,) = encounters(foreign)
    assert (met.saved, met.from_replica) == (False, "tpu-0")


def test_with_our_gateway_the_lines_of_replicas_make_no_attempts(foreign: ForeignRecord) -> None:
    foreign.has_gateway = True
    foreign.fault()
    foreign.died("tpu-0")
    foreign.call("s0", 0, 19.4, tokens=3, outcome="truncated", ups=[KILLED])
    (call,) = calls_of(foreign)
    assert [a.span.name for a in call.attempts] == [names.SPAN_ATTEMPT]
    assert call.replica_requests == []


def test_the_statistics_of_a_gateway_show_ejections_and_readmissions(foreign: ForeignRecord) -> None:
    foreign.good_call("s0", 6.0)
    foreign.told(1.0, gpu_0=(0, 0, True), tpu_0=(0, 0, True), tpu_1=(0, 0, None))
    foreign.told(21.0, gpu_0=(4, 0, True), tpu_0=(2, 1, False), tpu_1=(0, 0, None))
    foreign.told(21.5)  # could not be read
    foreign.told(33.0, gpu_0=(9, 0, True), tpu_0=(2, 1, True), tpu_1=(0, 0, None))
    evidence = evidence_of(foreign)
    changes = [
        (evidence.record.seconds(t.start_ns), t.attributes[names.REPLICA], t.attributes[names.TRANSITION])
        for t in evidence.calls.transitions
    ]
    assert changes == [(21.0, "tpu-0", "ejected"), (33.0, "tpu-0", "readmitted")]
