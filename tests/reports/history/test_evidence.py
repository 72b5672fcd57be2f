"""Scopes of a run: the calls and sessions in them, durations and sums."""

from __future__ import annotations

import numpy as np

from reports.history.evidence import RUN_SCOPE, Scope
from tests.support.record_builder import RecordBuilder, Up
from tests.support.record_results import evidence_of


def test_a_mask_has_the_calls_of_the_phase_and_of_the_pool_or_tenant(record: RecordBuilder) -> None:
    record.call("a", 0, 1.0)
    record.call("b", 0, 6.0, tenant="globex")
    record.call("c", 0, 7.0, ups=[Up("tpu-0", 7.0, 7.7, passed_on=11)])
    record.call("d", 0, 21.0)
    evidence = evidence_of(record)
    assert evidence.mask(RUN_SCOPE).tolist() == [False, True, True, True]
    assert evidence.mask(Scope("baseline")).tolist() == [False, True, True, False]
    assert evidence.mask(Scope("baseline", ("tenant", "globex"))).tolist() == [False, True, False, False]
    assert evidence.mask(Scope(None, ("pool", "tpu"))).tolist() == [False, False, True, False]


def test_sessions_of_the_warm_up_that_run_into_the_baseline_count_for_the_run(record: RecordBuilder) -> None:
    for name, start, end in (("over", 1.0, 4.0), ("long", 1.0, 6.0), ("own", 6.0, 7.0)):
        record.call(name, 0, start)
        record.call(name, 1, end - 0.7)
        record.session(name, start, end)
    evidence = evidence_of(record)
    assert [session.id for session in evidence.sessions(RUN_SCOPE)] == ["long", "own"]
    assert [session.id for session in evidence.sessions(Scope("baseline"))] == ["own"]


def test_the_duration_of_a_scope_is_that_of_its_phases(record: RecordBuilder) -> None:
    evidence = evidence_of(record)
    assert evidence.duration_s(Scope("fault")) == 11.0
    assert evidence.duration_s(RUN_SCOPE) == 15.0 + 11.0 + 20.0


def test_sums_by_session_are_over_the_masked_calls(record: RecordBuilder) -> None:
    for session, turn, sent in (("a", 0, 6.0), ("a", 1, 8.0), ("b", 0, 9.0), ("b", 1, 21.0)):
        record.call(session, turn, sent)
    evidence = evidence_of(record)
    sums = evidence.by_session(np.array([1.0, 2.0, 4.0, 8.0]), evidence.mask(Scope("baseline")))
    assert sums.tolist() == [3.0, 4.0]
