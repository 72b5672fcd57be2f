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
BUSY_CLIENT = MachineDoubt("90% of a core", "client")
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


def test_a_count_of_failures_that_passes_needs_its_load_but_no_fast_machine(record: RecordBuilder) -> None:
    assert stands(record, "sessions_lost == 0", "pass", LATE, UNKNOWN, BUSY_CLIENT)
    assert not stands(record, "sessions_lost == 0", "pass", BEHIND)


@pytest.mark.parametrize("gate", ["shed for tier=batch >= 5", "migrations >= 1", "cost <= 2 x baseline"])
def test_what_lateness_may_have_brought_about_does_not_pass(record: RecordBuilder, gate: str) -> None:
    gate = gate.replace("cost", "cost.per_1k_sessions during fault")
    assert not stands(record, gate, "pass", LATE)
    assert stands(record, gate, "pass", UNKNOWN, BUSY_CLIENT)


@pytest.mark.parametrize(("late", "stands_late"), [(0, True), (1, False)])
def test_a_gate_relative_to_good_calls_needs_a_baseline_that_was_not_late(
    record: RecordBuilder, late: int, stands_late: bool
) -> None:
    for index in range(50):
        record.call(f"s{index}", 0, 6.0, ttft=3.0 if index < late else 0.5)
    for gate in ("metastable == 0", "time_to_recover <= 9 s", "goodput_lost <= 5%"):
        assert stands(record, gate, "pass", LATE) is stands_late


def test_a_busy_load_generator_sees_answers_late(record: RecordBuilder) -> None:
    assert not stands(record, "ttft.p95 <= 2 s", "pass", BUSY_CLIENT)
    assert not stands(record, "ttft.p95 <= 2 s", "fail", BUSY_CLIENT)
    assert stands(record, "sessions_lost == 0", "fail", BUSY_CLIENT)


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
