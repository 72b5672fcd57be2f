"""Which runs may decide a gate."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest

from bench.repeats import gate_row, report_of
from reports.gating.soundness import (
    compared_value,
    decoded,
    failed_outright,
    is_sound,
    machine_in_doubt,
    may_judge,
    unsound_because,
    why_not,
)

LOST = gate_row("sessions_lost == 0", "fact", "count", "==", 0, 0.0)
LOST_3 = gate_row("sessions_lost == 0", "fact", "count", "==", 0, 3.0)
SLOW = gate_row("ttft.p95 <= 2 s", "percentile", "s", "<=", 2, 1.0, interval=[0.9, 1.2])
SUCCESS = gate_row("session_success >= 97%", "rate", "share", ">=", 0.97, 0.99, interval=[0.98, 1.0])
BASELINE = gate_row("slo_attainment >= 90%", "rate", "share", ">=", 0.9, 0.99, interval=[0.98, 1.0], phase="baseline")
LATE = "3.0% of the replicas' tokens were over 20 ms late (limit 1%)"


def proofs(**more: Any) -> dict[str, Any]:
    return {**report_of([LOST])["proofs"], **more}


def ended_in(phase: str) -> dict[str, Any]:
    names = ["warmup", "baseline", "fault", "recovery"]
    names = names[: names.index(phase) + 1]
    return {"phases": [{"name": name, "finished": name != phase} for name in names]}


UNSOUND: dict[str, tuple[dict[str, Any], str]] = {
    "interrupted": ({"verdict": {"verdict": "interrupted", "why": [""]}}, "interrupted"),
    "failed": ({"verdict": {"verdict": "failed", "why": [""]}}, "failed"),
    "by hand": ({"verdict": {"verdict": "played", "why": [""]}}, "by hand"),
    "aborted": ({"verdict": {"verdict": "aborted", "why": [""]}}, "stopped early"),
    "cut short in the fault": (ended_in("fault"), "before the end of its fault"),
    "not steady": ({**ended_in("recovery"), "phases": [{"name": "baseline", "finished": True}]}, "its fault"),
    "severely late": ({"proofs": proofs(severe_doubts=[LATE])}, "far too slow"),
    "fault without effect": ({"faults": [{"id": "f1", "doubts": ["fault f1 hit nothing"]}]}, "hit nothing"),
    "other upstreams": ({"proofs": proofs(joins={"other_upstreams": True})}, "others"),
    "no load": ({"proofs": proofs(loadgen={"arrivals": 0, "sound": True})}, "no load"),
    "not carried": ({"carrying": {"limit": "unknown"}}, "did not carry"),
    "damaged": ({"verdict": {"verdict": "inconclusive", "why": ["the record is damaged: x"]}}, "damaged"),
}


def test_a_run_that_nothing_is_wrong_with_is_sound() -> None:
    assert is_sound(report_of([LOST, SLOW]))
    short = report_of([LOST])
    short["run"]["short_form"] = True
    assert is_sound(short)


@pytest.mark.parametrize("what", UNSOUND)
def test_an_unsound_run_says_why_and_passes_no_gate(what: str) -> None:
    more, why = UNSOUND[what]
    report = report_of([LOST, SLOW], **more)
    assert why in unsound_because(report)[0]
    assert not may_judge(report, LOST)
    assert not may_judge(report, SLOW)


def test_a_run_changed_by_hand_is_not_sound() -> None:
    changed = {**LOST, "judged": "inconclusive", "why": "0, as required; but the run was changed by hand (inject x)"}
    assert unsound_because(report_of([changed])) == ("it was changed by hand",)


def test_a_run_without_faults_has_no_phase_that_is_missing() -> None:
    phases = [{"name": name, "finished": True} for name in ("warmup", "baseline", "drain")]
    assert is_sound(report_of([LOST], faults=[], phases=phases))


@pytest.mark.parametrize("what", ["aborted", "cut short in the fault", "severely late", "fault without effect"])
def test_a_count_that_failed_is_never_dropped(what: str) -> None:
    assert may_judge(report_of([LOST_3], **UNSOUND[what][0]), LOST_3)


@pytest.mark.parametrize("what", ["interrupted", "failed", "by hand"])
def test_a_run_whose_parts_failed_decides_nothing(what: str) -> None:
    assert not may_judge(report_of([LOST_3], **UNSOUND[what][0]), LOST_3)


@pytest.mark.parametrize("what", ["aborted", "cut short in the fault", "not steady", "fault without effect"])
def test_a_gate_on_the_baseline_needs_no_more_than_the_baseline(what: str) -> None:
    report = report_of([BASELINE], **UNSOUND[what][0])
    assert may_judge(report, BASELINE)
    assert not may_judge(report_of([BASELINE], **ended_in("baseline")), BASELINE)


def test_a_late_machine_excludes_gates_on_times_only() -> None:
    report = report_of([LOST, SLOW, SUCCESS], proofs=proofs(machine_doubts=[LATE]))
    assert is_sound(report)
    assert why_not(report, SLOW) == f"the machine was too slow: {LATE}"
    assert why_not(report, SLOW, machine=False) == ""
    assert may_judge(report, LOST)
    assert may_judge(report, SUCCESS)


def test_a_machine_that_is_not_known_to_be_fast_excludes_gates_on_times() -> None:
    report = report_of([SLOW], proofs=proofs(machine={"sound": False}))
    assert "not known" in machine_in_doubt(report)
    assert not may_judge(report, SLOW)


def test_a_value_that_lateness_may_have_helped_does_not_count() -> None:
    shed = gate_row(
        "shed >= 5", "fact", "count", ">=", 5, 7.0, judged="inconclusive", why=f"7, as required; but {LATE}"
    )
    report = report_of([shed], proofs=proofs(machine_doubts=[LATE]))
    assert why_not(report, shed) == f"the machine was too slow: {LATE}"
    violated = {**shed, "value": 3.0}
    assert may_judge(report, violated)


@pytest.mark.parametrize(("verdict", "carrying"), [("metastable", None), ("overloaded", None), ("fail", {"x": 1})])
def test_a_run_that_stayed_down_failed_outright(verdict: str, carrying: Any) -> None:
    report = report_of([LOST], verdict={"verdict": verdict, "why": ["down"]}, carrying=carrying)
    assert failed_outright(report) == "down"
    assert failed_outright(report_of([LOST_3])) == ""


def test_numbers_of_a_report_are_read_as_they_are_written() -> None:
    assert [decoded(value) for value in ("never", "-never", None, 2)] == [math.inf, -math.inf, None, 2.0]
    assert compared_value({**copy.copy(SLOW), "relative_to_baseline": True, "factor": "never"}) == math.inf
