"""sessions, sessions_lost, unfinished, session_success."""

from __future__ import annotations

import pytest

from reports.shared import attributes as names
from tests.support.measure_records import add_calls_of_tenant
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import value


def test_a_good_run_loses_no_session(good: RecordBuilder) -> None:
    assert value(good, "sessions_lost") == 0
    assert value(good, "session_success") == 1.0
    assert value(good, "unfinished") == 0
    assert value(good, "session_time.p50") == pytest.approx(2.7)


def test_a_session_counts_in_the_phase_in_which_it_started(record: RecordBuilder) -> None:
    for name, start, outcome in (("a", 6.0, "ok"), ("b", 7.0, "truncated"), ("c", 21.0, "stalled"), ("d", 32.0, "ok")):
        record.call(name, 0, start, outcome=outcome)
        record.session(name, start, start + 1, "succeeded" if outcome == "ok" else "lost")
    assert (value(record, "sessions"), value(record, "sessions_lost")) == (4, 2)
    assert (value(record, "sessions_lost", "baseline"), value(record, "sessions_lost", "recovery")) == (1, 0)
    assert value(record, "session_success", "baseline") == 0.5
    assert value(record, "session_success") == 0.5


def test_a_session_of_the_warm_up_that_the_fault_breaks_counts_for_the_run(record: RecordBuilder) -> None:
    record.call("early", 0, 1.0)
    record.session("early", 1.0, 1.7)
    record.call("long", 0, 1.0)
    record.call("long", 1, 20.5, outcome="reset")
    record.session("long", 1.0, 21.2, "lost")
    assert (value(record, "sessions"), value(record, "sessions_lost")) == (1, 1)
    assert value(record, "sessions", "warmup") == 2


def test_a_failed_call_loses_its_session_even_if_its_span_says_succeeded(record: RecordBuilder) -> None:
    record.call("a", 0, 6.0, outcome="http_5xx")
    record.session("a", 6.0, 7.0, "succeeded")
    assert value(record, "sessions_lost") == 1


def test_an_unfinished_session_silent_for_10_s_is_lost(record: RecordBuilder) -> None:
    for name, silent in (("silent", 10.0), ("busy", 9.9)):
        record.call(name, 0, 40.0, outcome="abandoned")
        record.session(name, 40.0, 55.0, "unfinished", silent=silent)
    record.call("done", 0, 40.0)
    record.session("done", 40.0, 40.7)
    assert (value(record, "sessions_lost"), value(record, "unfinished")) == (1, 1)
    assert value(record, "session_success") == 0.5


def test_sessions_can_be_narrowed_to_a_tenant(record: RecordBuilder) -> None:
    record.call("a", 0, 6.0, tenant="globex", outcome="reset")
    record.session("a", 6.0, 7.0, "lost", its={names.TENANT: "globex"})
    record.call("b", 0, 6.0)
    record.session("b", 6.0, 7.0)
    assert value(record, "sessions_lost", where=("tenant", "globex")) == 1
    assert value(record, "sessions_lost", where=("tenant", "acme")) == 0


def test_a_session_has_the_tier_of_its_span_or_of_its_calls(record: RecordBuilder) -> None:
    add_calls_of_tenant(record, "acme", 6.0, 1, tier="batch")
    record.session("acme-6.0-0", 6.0, 7.0)
    record.session("other", 6.0, 7.0, its={names.TIER: "subscription"})
    assert value(record, "sessions", where=("tier", "batch")) == 1
    assert value(record, "sessions", where=("tier", "subscription")) == 1
