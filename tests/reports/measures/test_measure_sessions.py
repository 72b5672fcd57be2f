"""How sessions ended: counts, success and time."""

from __future__ import annotations

import math

import pytest

from tests.support.record_builder import RecordBuilder, measured, value


def test_a_good_run_loses_nothing(good: RecordBuilder) -> None:
    assert value(good, "sessions_lost") == 0
    assert value(good, "session_success") == 1.0
    assert value(good, "unfinished") == 0
    assert value(good, "session_time.p50") == pytest.approx(2.7)


def test_a_session_counts_in_the_phase_it_started_in(record: RecordBuilder) -> None:
    for name, start, outcome in (("a", 6.0, "ok"), ("b", 7.0, "truncated"), ("c", 21.0, "stalled"), ("d", 32.0, "ok")):
        record.call(name, 0, start, outcome=outcome)
        record.session(name, start, start + 1, "succeeded" if outcome == "ok" else "lost")
    assert (value(record, "sessions"), value(record, "sessions_lost")) == (4, 2)
    assert (value(record, "sessions_lost", "baseline"), value(record, "sessions_lost", "recovery")) == (1, 0)
    assert value(record, "session_success", "baseline") == 0.5
    assert value(record, "session_success") == 0.5


def test_a_session_of_the_warm_up_that_the_fault_takes_is_lost_to_the_run(record: RecordBuilder) -> None:
    record.call("early", 0, 1.0)
    record.session("early", 1.0, 1.7)
    record.call("long", 0, 1.0)
    record.call("long", 1, 20.5, outcome="reset")
    record.session("long", 1.0, 21.2, "lost")
    assert (value(record, "sessions"), value(record, "sessions_lost")) == (1, 1)
    assert value(record, "sessions", "warmup") == 2


def test_a_failed_call_loses_its_session_whatever_its_span_says(record: RecordBuilder) -> None:
    record.call("a", 0, 6.0, outcome="http_5xx")
    record.session("a", 6.0, 7.0, "succeeded")
    assert value(record, "sessions_lost") == 1


def test_silence_at_the_end_of_the_drain_loses_a_session_and_merely_going_on_does_not(record: RecordBuilder) -> None:
    for name, silent in (("dead", 10.0), ("busy", 9.9)):
        record.call(name, 0, 40.0, outcome="abandoned")
        record.session(name, 40.0, 55.0, "unfinished", silent=silent)
    record.call("done", 0, 40.0)
    record.session("done", 40.0, 40.7)
    assert (value(record, "sessions_lost"), value(record, "unfinished")) == (1, 1)
    assert value(record, "session_success") == 0.5


def test_the_time_of_a_lost_session_is_infinite_and_unfinished_ones_have_none(record: RecordBuilder) -> None:
    record.call("a", 0, 6.0, outcome="reset")
    record.session("a", 6.0, 7.0, "lost")
    record.call("b", 0, 6.0, outcome="abandoned")
    record.session("b", 6.0, 55.0, "unfinished", silent=1.0)
    found = measured(record, "session_time.max")
    assert (found.value, found.samples) == (math.inf, 1)


def test_sessions_are_narrowed_by_tenant(record: RecordBuilder) -> None:
    from reports.shared import attributes as names

    record.call("a", 0, 6.0, tenant="globex", outcome="reset")
    record.session("a", 6.0, 7.0, "lost", its={names.TENANT: "globex"})
    record.call("b", 0, 6.0)
    record.session("b", 6.0, 7.0)
    assert value(record, "sessions_lost", where=("tenant", "globex")) == 1
    assert value(record, "sessions_lost", where=("tenant", "acme")) == 0
