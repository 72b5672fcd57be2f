"""Calls that came to no replica of the run, and replicas that got no call: known only where the record tells."""

from __future__ import annotations

import pytest

from reports.history.served import Elsewhere, answered_elsewhere, replicas_without_call
from tests.support.foreign_records import ForeignRecord
from tests.support.record_builder import Up
from tests.support.record_results import evidence_of


def found(record: ForeignRecord) -> Elsewhere | None:
    evidence = evidence_of(record)
    return answered_elsewhere(evidence.record, evidence.calls)


def idle(record: ForeignRecord, end_s: float = 20.0) -> tuple[str, ...]:
    evidence = evidence_of(record)
    return replicas_without_call(evidence.record, evidence.calls, 5.0, end_s)


def elsewhere(record: ForeignRecord, calls: int) -> None:
    """Calls that ended ok at a server that is not of the run."""
    for number in range(calls):
        record.call(f"e{number}", 0, 6.0 + number / 10, ups=[])


@pytest.mark.parametrize("propagates", [True, False])
def test_calls_that_ended_ok_at_no_replica_are_counted(foreign: ForeignRecord, propagates: bool) -> None:
    foreign.propagates = propagates
    foreign.steady(40)
    elsewhere(foreign, 10)
    one = found(foreign)
    assert one == Elsewhere(10, 50)
    assert one.is_doubt
    assert one.text.startswith("10 of 50 calls that ended ok came to no replica of this run: the gateway has other")


def test_failed_calls_and_those_outside_the_measured_time_are_not_counted(foreign: ForeignRecord) -> None:
    foreign.steady(40)
    foreign.call("failed", 0, 6.0, ups=[], ttft=None, outcome="http_5xx")
    foreign.call("warm-up", 0, 2.0, ups=[])
    assert found(foreign) == Elsewhere(0, 40)


def test_a_call_whose_replica_was_killed_has_its_line(foreign: ForeignRecord) -> None:
    foreign.steady(10)
    foreign.died("tpu-0")
    foreign.call("s0", 0, 19.0, ups=[Up("tpu-0", 19.001, 19.7, passed_on=11, replica_span=False)])
    assert found(foreign) == Elsewhere(0, 11)


def test_requests_without_trace_and_marker_may_be_of_any_call(foreign: ForeignRecord) -> None:
    elsewhere(foreign, 10)
    for number in range(7):
        foreign.line("gpu-0", 7.0 + number, span=foreign.lost_span())
    assert found(foreign) == Elsewhere(3, 10)


def test_requests_of_another_load_explain_nothing(foreign: ForeignRecord) -> None:
    elsewhere(foreign, 10)
    for number in range(10):
        foreign.line("gpu-0", 7.0 + number, span=foreign.lost_span(), session=f"x{number}", agent="main", turn=0)
    assert found(foreign) == Elsewhere(10, 10)


def test_without_the_lines_of_the_replicas_nothing_is_known(foreign: ForeignRecord) -> None:
    foreign.steady(40)
    elsewhere(foreign, 10)
    foreign.lines.clear()
    assert found(foreign) is None


@pytest.mark.parametrize(("calls", "of", "doubt"), [(0, 9, False), (1, 9, False), (2, 9, True), (3, 3000, False)])
def test_more_calls_than_wrong_joins_explain_are_a_doubt(calls: int, of: int, doubt: bool) -> None:
    assert Elsewhere(calls, of).is_doubt == doubt


# -- replicas without a call ------------------------------------------------------------------------------------------
def test_a_replica_that_got_no_call_is_named(foreign: ForeignRecord) -> None:
    foreign.steady(40)  # on three of four
    assert idle(foreign) == ("gpu-1",)


def test_requests_that_belong_to_no_known_call_are_calls_too(foreign: ForeignRecord) -> None:
    foreign.steady(40)
    foreign.line("gpu-1", 7.0, span=foreign.lost_span())
    assert idle(foreign) == ()


def test_with_few_calls_a_replica_may_have_none_by_chance(foreign: ForeignRecord) -> None:
    foreign.steady(19)
    assert idle(foreign) == ()


def test_many_calls_of_few_sessions_may_all_be_kept_at_their_replicas(foreign: ForeignRecord) -> None:
    for turn in range(10):
        for number in range(4):
            at, replica = 6.0 + turn, ("gpu-0", "tpu-0")[number % 2]
            foreign.call(f"s{number}", turn, at, ups=[Up(replica, at + 0.001, at + 0.5, passed_on=11)])
    assert idle(foreign) == ()


def test_the_upstreams_of_a_gateway_that_brownout_configures_are_known(foreign: ForeignRecord) -> None:
    foreign.steady(40)
    foreign.experiment["target"] = {"stack": "two-pools", "gateway": {"nginx": {"preset": "tuned"}}}
    assert idle(foreign) == ()
