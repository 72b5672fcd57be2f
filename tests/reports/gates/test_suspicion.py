"""Which verdicts stand on a busy machine: never a fail of a good target, never a pass of a bad one."""

from __future__ import annotations

import pytest

from reports.gates.grammar import parse_gate
from reports.gates.machine import MachineDoubt
from reports.gates.suspicion import machine_doubts_of
from tests.support.record_builder import RecordBuilder, Up
from tests.support.record_results import evidence_of

LATE = MachineDoubt("late", "lateness")
VERY_LATE = MachineDoubt("very late", "lateness", severe=True)
BEHIND = MachineDoubt("arrivals late", "load")
UNKNOWN = MachineDoubt("unknown", "unknown")


def stands(record: RecordBuilder, gate: str, verdict: str, *doubts: MachineDoubt) -> bool:
    return not machine_doubts_of(parse_gate(gate), verdict, evidence_of(record), doubts)


@pytest.mark.parametrize("gate", ["sessions_lost == 0", "ttft.p95 <= 2 s", "goodput >= 1", "calls >= 5"])
@pytest.mark.parametrize("verdict", ["pass", "fail"])
def test_severe_lateness_decides_nothing(record: RecordBuilder, gate: str, verdict: str) -> None:
    assert not stands(record, gate, verdict, VERY_LATE)


@pytest.mark.parametrize("doubt", [LATE, VERY_LATE, BEHIND, UNKNOWN])
def test_no_lateness_excuses_a_broken_answer(record: RecordBuilder, doubt: MachineDoubt) -> None:
    assert stands(record, "silent_truncations == 0", "fail", doubt)


@pytest.mark.parametrize(
    ("gate", "stands_late"),
    [
        ("ttft.p95 <= 2 s", True),
        ("slo_attainment during fault >= 85%", True),
        ("metastable == 0", True),
        ("ttft.p95 during fault <= 2 x baseline", False),  # a late baseline makes it easier
        ("ttft.p95 >= 1 s", False),
        ("time_to_detect <= 3 s", False),  # a late replica may be ejected for its lateness
    ],
)
def test_a_pass_stands_where_lateness_could_only_have_made_it_harder(
    record: RecordBuilder, gate: str, stands_late: bool
) -> None:
    assert stands(record, gate, "pass", LATE) is stands_late
    assert not stands(record, gate, "pass", BEHIND)  # less load is easier
    assert not stands(record, gate, "pass", UNKNOWN)
    assert not stands(record, gate, "fail", LATE)


def test_a_count_that_passes_needs_no_fast_machine(record: RecordBuilder) -> None:
    assert stands(record, "sessions_lost == 0", "pass", LATE, BEHIND, UNKNOWN)


def lost(record: RecordBuilder, *ups: Up, outcome: str = "truncated") -> RecordBuilder:
    record.fault()
    record.call("s0", 0, 19.4, tokens=3, outcome=outcome, ups=ups)
    record.session("s0", 19.4, 20.1, "lost")
    return record


@pytest.mark.parametrize("gate", ["sessions_lost == 0", "calls_failed == 0"])
def test_a_session_that_only_the_fault_ended_fails_on_a_late_machine_too(record: RecordBuilder, gate: str) -> None:
    lost(record, Up("tpu-1", 19.4, 20.01, "reset", passed_on=3, replica_span=False))
    assert stands(record, gate, "fail", LATE)
    assert not stands(record, gate, "fail", VERY_LATE)


@pytest.mark.parametrize(
    ("ups", "outcome"),
    [
        ([Up("tpu-1", 19.4, 20.01, "reset", passed_on=3), Up("gpu-0", 20.1, 25.0, "timeout")], "truncated"),
        ([Up("tpu-1", 19.4, 25.0, "timeout", passed_on=3)], "timeout"),
        ([Up("gpu-0", 19.4, 25.0, "reset", passed_on=3)], "truncated"),
    ],
)
def test_a_session_that_lateness_may_have_ended_does_not_fail_a_late_machine(
    record: RecordBuilder, ups: list[Up], outcome: str
) -> None:
    lost(record, *ups, outcome=outcome)
    assert not stands(record, "sessions_lost == 0", "fail", LATE)
    assert stands(record, "sessions_lost == 0", "fail", UNKNOWN)


def test_only_failures_beyond_the_limit_of_the_gate_fail_it(record: RecordBuilder) -> None:
    lost(record, Up("tpu-1", 19.4, 20.01, "reset", passed_on=3, replica_span=False))
    assert not stands(record, "sessions_lost <= 1", "fail", LATE)
    assert not stands(record, "sessions_lost in recovery == 0", "fail", LATE)
