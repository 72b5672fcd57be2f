"""Calls joined with the spans of gateway and replicas."""

from __future__ import annotations

from reports.shared import attributes as names
from tests.support.record_builder import RecordBuilder, Up, migrated
from tests.support.record_results import evidence_of


def test_a_call_is_joined_with_gateway_and_replica_by_trace_context(record: RecordBuilder) -> None:
    record.call("s0", 0, 21.0, ups=migrated(21.6, resumed=22.0, sent=21.0, passed_on=3))
    calls = evidence_of(record).calls
    call = calls.calls[0]
    assert [(a.replica, a.reason, a.outcome) for a in call.attempts] == [
        ("tpu-0", "first", "reset"),
        ("gpu-1", "migration", "ok"),
    ]
    assert [r.replica for r in call.replica_requests] == ["gpu-1"]
    assert (call.pool, call.replica, call.joined) == ("gpu", "gpu-1", "trace")
    assert calls.joined == {"trace": 1, "key": 0, "none": 0}


def test_without_trace_context_calls_are_joined_by_conversation_and_time(record: RecordBuilder) -> None:
    record.propagates = False
    record.has_gateway = False
    record.call("s0", 0, 21.0, ups=[Up("gpu-0", 21.01, 21.7, passed_on=11)])
    record.call("s0", 1, 23.0, ups=[Up("tpu-1", 23.01, 23.7, passed_on=11)])
    calls = evidence_of(record).calls
    assert [call.replica for call in calls.calls] == ["gpu-0", "tpu-1"]
    assert calls.joined == {"trace": 0, "key": 2, "none": 0}


def test_with_our_gateway_a_request_at_another_time_is_not_joined(record: RecordBuilder) -> None:
    record.propagates = False
    record.call("s0", 0, 21.0, ups=[Up("gpu-0", 30.0, 31.0, passed_on=11)])
    calls = evidence_of(record).calls
    assert calls.calls[0].replica_requests == []
    assert len(calls.unjoined_requests) == 1


def test_a_session_without_its_own_span_is_derived_from_its_calls(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0)
    record.call("s1", 0, 6.0, outcome="truncated")
    sessions = {session.id: session for session in evidence_of(record).calls.sessions}
    assert (sessions["s0"].outcome, sessions["s1"].outcome) == ("unfinished", "lost")
    assert sessions["s1"].lost_because == "truncated"


def test_a_session_is_not_lost_where_a_repeated_call_succeeded(record: RecordBuilder) -> None:
    for session, again in (("s0", "ok"), ("s1", "reset")):
        record.call(session, 0, 6.0, outcome="truncated")
        record.call(session, 0, 8.0, outcome=again)
        record.session(session, 6.0, 9.0, "succeeded")
    sessions = {session.id: session for session in evidence_of(record).calls.sessions}
    assert (sessions["s0"].outcome, sessions["s1"].outcome) == ("succeeded", "lost")
    assert sessions["s1"].lost_because == "reset"


def test_a_call_with_an_invalid_chunk_log_is_kept_without_it(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0)
    span = next(s for s in record.by_instance["brownout-loadgen", "locust#1"] if s.name == "POST")
    for pair in span.attributes:
        if pair.key == names.CHUNKS:
            pair.value.bytes_value = b"\x09\x01"
    calls = evidence_of(record).calls
    assert (calls.bad_chunk_logs, calls.has_chunks, len(calls.calls)) == (1, False, 1)
