"""retry_amplification: upstream attempts per call."""

from __future__ import annotations

import math

import pytest

from reports.shared import attributes as names
from tests.support.foreign_records import ForeignRecord
from tests.support.record_builder import RecordBuilder, Try, Up, migrated
from tests.support.record_results import judged, measured, value


def test_retry_amplification_is_attempts_per_call(record: RecordBuilder) -> None:
    for index in range(8):
        record.call(f"s{index}", 0, 6.0)
    record.call("s8", 0, 19.4, gaps={3: 0.7}, ups=migrated(20.01, resumed=20.64, sent=19.4, passed_on=3))
    assert value(record, "retry_amplification") == pytest.approx(10 / 9)
    assert value(record, "retry_amplification", "baseline") == pytest.approx(10 / 9)  # all were sent there


def test_an_attempt_without_a_call_counts_in_the_phase_in_which_it_started(record: RecordBuilder) -> None:
    record.call("s0", 0, 6.0)
    record.span(("brownout-gateway", "gateway#1"), names.SPAN_ATTEMPT, 7.0, 8.0, {names.REPLICA: "gpu-0"})
    assert value(record, "retry_amplification", "baseline") == 2.0


def test_where_no_call_was_repeated_the_interval_has_the_width_of_the_rule_of_three(good: RecordBuilder) -> None:
    possible, certain = judged(good, "retry_amplification <= 1.02", "retry_amplification <= 1.1")
    assert (possible.verdict, certain.verdict, certain.value) == ("inconclusive", "pass", 1.0)
    assert certain.interval is not None
    assert certain.interval[1] == pytest.approx(1 + 3.689 * 3 / certain.samples, rel=2e-3)  # sessions of three calls


def test_one_repeated_call_makes_the_interval_that_of_one_rare_event(good: RecordBuilder) -> None:
    good.call("s999", 0, 6.0, ups=[Up("gpu-0", 6.0, 6.1, "reset"), Up("gpu-1", 6.2, 6.9, passed_on=11)])
    (gate,) = judged(good, "retry_amplification <= 1.1")
    assert gate.interval is not None
    assert gate.value is not None
    assert gate.interval[0] < gate.value < gate.interval[1]
    assert gate.interval[1] == pytest.approx(1 + 5.572 / gate.samples)


# -- behind a gateway that is not ours --------------------------------------------------------------------------------


@pytest.fixture
def killed(foreign: ForeignRecord) -> ForeignRecord:
    """Forty good calls before a kill, and twenty while both replicas of the pool are dead."""
    foreign.fault()
    foreign.died("tpu-0", "tpu-1")
    foreign.steady()
    for index in range(20):
        foreign.good_call(f"f{index}", 21.0 + index / 4)
    return foreign


def test_attempts_that_the_gateway_counted_are_added(killed: ForeignRecord) -> None:
    killed.told(1.0, tpu_0=(0, 0, True))
    killed.told(27.0, tpu_0=(9, 5, True))
    during, whole = (measured(killed, "retry_amplification", phase) for phase in ("fault", None))
    assert (during.note, whole.note) == ("", "")
    assert (during.value, whole.value) == pytest.approx((25 / 20, 65 / 60))
    assert measured(killed, "retry_amplification", "baseline").value == 1.0


def test_attempts_that_were_counted_at_least_are_in_the_value(killed: ForeignRecord) -> None:
    killed.told(1.0, exact=False, tpu_0=(0, 0, True))
    killed.told(27.0, exact=False, tpu_0=(9, 5, True))
    killed.refusals((0.0, 0), (27.0, 10))
    found = measured(killed, "retry_amplification", "fault")
    assert found.value == pytest.approx(25 / 20)
    assert found.note == "at least: up to 5 connections that dead replicas may have refused are not in it"
    assert found.interval is not None
    assert found.interval()[1] >= 30 / 20


def test_the_kernels_count_bounds_the_attempts_from_above(killed: ForeignRecord) -> None:
    killed.refusals((0.0, 0), (27.0, 10))
    found = measured(killed, "retry_amplification", "fault")
    assert found.value == 1.0
    assert found.note == "at least: up to 10 connections that dead replicas may have refused are not in it"
    assert found.interval is not None
    low, high = found.interval()
    assert (low, high >= 1 + 10 / 20) == (1.0, True)


def test_attempts_that_nobody_counted_have_no_upper_bound(killed: ForeignRecord) -> None:
    found = measured(killed, "retry_amplification", "fault")
    assert found.interval is not None
    assert found.interval() == (1.0, math.inf)
    passes, undecided, fails, before = judged(
        killed,
        "retry_amplification during fault >= 1",
        "retry_amplification during fault <= 3",
        "retry_amplification during fault < 1",
        "retry_amplification in baseline <= 3",
    )
    assert [gate.verdict for gate in (passes, undecided, fails, before)] == ["pass", "inconclusive", "fail", "pass"]
    assert undecided.why == (
        "1x (at least: connections that dead replicas refused are not in it, and nobody counted them); <= 3x is "
        "undecided"
    )


def test_a_small_count_of_the_kernel_decides_a_gate(killed: ForeignRecord) -> None:
    killed.refusals((0.0, 0), (27.0, 4))
    passes, undecided = judged(
        killed, "retry_amplification during fault <= 3", "retry_amplification during fault <= 1.1"
    )
    assert (passes.verdict, undecided.verdict) == ("pass", "inconclusive")
    assert "at least: up to 4 connections" in passes.why


def test_attempts_of_the_client_are_none_of_a_gateway_that_fails_every_call(foreign: ForeignRecord) -> None:
    for index in range(10):
        tries = [Try(6.0 + index, 6.1 + index, "http_5xx", 502)]
        foreign.call(f"s{index}", 0, 6.0 + index, ttft=None, outcome="http_5xx", tries=tries, ups=[])
    assert value(foreign, "retry_amplification", "baseline") == 0.0


def test_requests_of_nobody_are_only_in_the_upper_end(killed: ForeignRecord) -> None:
    killed.refusals((0.0, 0), (27.0, 10))
    for index in range(4):
        at = 6.0 + index
        killed.span(("brownout-replica", "gpu-0#1"), names.SPAN_REPLICA_REQUEST, at, at + 0.1, {names.REPLICA: "gpu-0"})
    before, whole = (measured(killed, "retry_amplification", phase) for phase in ("baseline", None))
    requests = "4 requests at replicas that belong to no call (health checks?) are not in it"
    assert (before.value, before.note) == (1.0, f"at least: {requests}")
    assert whole.note.endswith(f"not in it; {requests}")
    assert before.interval is not None
    assert before.interval()[1] >= 1 + 4 / 40


def test_a_marked_request_whose_call_was_lost_counts(killed: ForeignRecord) -> None:
    its = {names.REPLICA: "gpu-0", names.CONVERSATION_ID: "lost", names.AGENT_ID: "main", names.TURN: 0}
    killed.span(("brownout-replica", "gpu-0#1"), names.SPAN_REPLICA_REQUEST, 6.0, 6.1, its)
    found = measured(killed, "retry_amplification", "baseline")
    assert (found.value, found.note) == (41 / 40, "")


def test_late_requests_count_for_the_phase_of_their_call(foreign: ForeignRecord) -> None:
    foreign.propagates = False
    foreign.call("s0", 0, 18.0, outcome="timeout", ttft=None, ups=[Up("gpu-0", 18.1, 19.0), Up("gpu-1", 22.0, 23.0)])
    assert value(foreign, "retry_amplification", "baseline") == 2.0
