"""Calls and what the server's side says of them, joined."""

from __future__ import annotations

import pytest

from tests.support.record_builder import RecordBuilder, Up, evidence_of, migrated


def test_a_call_is_joined_down_to_the_replica_by_trace_context(record: RecordBuilder) -> None:
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


def test_where_the_gateway_drops_the_context_the_conversation_and_the_time_join(record: RecordBuilder) -> None:
    record.propagates = False
    record.has_gateway = False
    record.call("s0", 0, 21.0, ups=[Up("gpu-0", 21.01, 21.7, passed_on=11)])
    record.call("s0", 1, 23.0, ups=[Up("tpu-1", 23.01, 23.7, passed_on=11)])
    calls = evidence_of(record).calls
    assert [call.replica for call in calls.calls] == ["gpu-0", "tpu-1"]
    assert calls.joined == {"trace": 0, "key": 2, "none": 0}


def test_a_request_of_another_time_is_not_taken_for_the_call(record: RecordBuilder) -> None:
    record.propagates = False
    record.has_gateway = False
    record.call("s0", 0, 21.0, ups=[Up("gpu-0", 30.0, 31.0, passed_on=11)])
    calls = evidence_of(record).calls
    assert calls.joined == {"trace": 0, "key": 0, "none": 1}
    assert len(calls.unjoined_requests) == 1


@pytest.mark.parametrize(
    ("sent", "phase"),
    [(1.0, "warmup"), (6.0, "baseline"), (19.5, "fault"), (21.0, "fault"), (32.0, "recovery"), (52.0, "drain")],
)
def test_a_call_counts_where_it_was_sent_but_an_open_one_of_the_baseline_in_the_fault(
    record: RecordBuilder, sent: float, phase: str
) -> None:
    record.call("s0", 0, sent)  # 0.7 s long
    assert evidence_of(record).calls.calls[0].phase == phase


def test_a_session_without_its_own_span_is_made_from_its_calls(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0)
    record.call("s1", 0, 6.0, outcome="truncated")
    sessions = {session.id: session for session in evidence_of(record).calls.sessions}
    assert (sessions["s0"].outcome, sessions["s1"].outcome) == ("unfinished", "lost")
    assert sessions["s1"].lost_because == "truncated"


def test_a_call_that_was_made_again_and_went_well_loses_no_session(record: RecordBuilder) -> None:
    for session, again in (("s0", "ok"), ("s1", "reset")):
        record.call(session, 0, 6.0, outcome="truncated")
        record.call(session, 0, 8.0, outcome=again)
        record.session(session, 6.0, 9.0, "succeeded")
    sessions = {session.id: session for session in evidence_of(record).calls.sessions}
    assert (sessions["s0"].outcome, sessions["s1"].outcome) == ("succeeded", "lost")
    assert sessions["s1"].lost_because == "reset"


def test_a_broken_log_of_chunks_costs_only_itself(record: RecordBuilder) -> None:
    from reports.shared import attributes as names

    record.call("s0", 0, 6.0)
    span = next(s for s in record.by_instance["brownout-loadgen", "locust#1"] if s.name == "POST")
    for pair in span.attributes:
        if pair.key == names.CHUNKS:
            pair.value.bytes_value = b"\x09\x01"
    calls = evidence_of(record).calls
    assert (calls.bad_chunk_logs, calls.has_chunks, len(calls.calls)) == (1, False, 1)
