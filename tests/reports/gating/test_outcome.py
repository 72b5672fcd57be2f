"""The verdict of an experiment from its runs, its gates and its comparison, and of all experiments together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from brownout.result import ExperimentResult, Result
from reports.gating.outcome import EXIT_CODES, Concluded, concluded, experiment_result, overall
from tests.support.gate_results import compared, gate, measure, run

PASSED = Concluded(run(1), None)


def ended(number: int, verdict: str, code: int, **fields: Any) -> Concluded:
    return Concluded(run(number, verdict=verdict, exit_code=code, why=(f"because of {verdict}",), **fields), None)


def result(*runs: Concluded, **options: Any) -> ExperimentResult:
    return experiment_result("x", "X", runs, **options)


@pytest.mark.parametrize(
    ("verdict", "code", "expected"),
    [
        ("pass", 0, "pass"),
        ("fail", 1, "fail"),
        ("metastable", 1, "fail"),
        ("overloaded", 1, "fail"),
        ("inconclusive", 3, "inconclusive"),
        ("aborted", 4, "aborted"),
        ("failed", 5, "failed"),
        ("pass", 5, "failed"),
        ("interrupted", 130, "interrupted"),
        ("strange", 77, "failed"),
    ],
)
def test_a_single_run_decides_by_its_exit_code(verdict: str, code: int, expected: str) -> None:
    found = result(ended(1, verdict, code))
    assert found.verdict == expected
    assert found.exit_code == {"strange": 5}.get(verdict, code)


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([("pass", 0), ("interrupted", 130), ("failed", 5)], "interrupted"),
        ([("pass", 0), ("failed", 5), ("metastable", 1)], "failed"),
        ([("pass", 0), ("metastable", 1), ("aborted", 4)], "fail"),
        ([("pass", 0), ("aborted", 4)], "aborted"),
        ([("pass", 0), ("inconclusive", 3)], "pass"),
    ],
)
def test_the_most_severe_of_several_runs_decides(runs: list[tuple[str, int]], expected: str) -> None:
    played = [ended(number, *one) for number, one in enumerate(runs, 1)]
    assert result(*played, gates=[gate()]).verdict == expected


def reported(number: int, verdict: str, code: int, *why: str, gate: str = "pass", sound: bool = False) -> Concluded:
    report: dict[str, Any] = {
        "verdict": {"verdict": verdict, "why": list(why)},
        "gates": [{"verdict": gate}],
        "steady_state": [],
        "explanation": {"sentence": ""},
        "run": {"description": ""},
        "failures": [],
    }
    return Concluded(run(number, verdict=verdict, exit_code=code, why=why, sound=sound), report)


def test_a_failed_run_that_a_guardrail_ended_is_not_lost_among_good_ones() -> None:
    why = ("slo_attainment during fault >= 85%: 40%, not >= 85%", "stopped by a guardrail: session_success < 50%")
    found = result(reported(2, "fail", 1, *why, gate="fail"), PASSED, gates=[gate()], target="t")
    assert found.verdict == "fail"
    excused = (why[0], why[1] + "; but the machine was far too slow")
    assert result(reported(2, "fail", 1, *excused, gate="fail"), PASSED, gates=[gate()], target="t").verdict == "pass"


def test_a_target_that_may_have_stayed_down_keeps_the_experiment_from_passing() -> None:
    down = "down after the trigger was gone: 20% of calls were good; but the machine was late"
    found = result(reported(2, "inconclusive", 3, down, sound=True), PASSED, gates=[gate()], target="t")
    assert (found.verdict, found.why) == ("inconclusive", (f"the run with seed 2: {down}",))
    unsound = reported(2, "inconclusive", 3, down)  # its machine was so late that it changed what happened
    assert result(unsound, PASSED, gates=[gate()], target="t").verdict == "pass"


def test_gates_and_comparison_decide_over_several_runs() -> None:
    runs = [PASSED, Concluded(run(2), None)]
    worse = compared(measure(verdict="fail", why="34 % worse"))
    unsure = compared(measure(verdict="inconclusive", why="not known"))
    assert result(*runs, gates=[gate(verdict="fail")]).why == ("sessions_lost == 0: 24, not == 0",)
    assert result(*runs, gates=[gate()], comparison=worse).why == ("34 % worse",)
    assert result(*runs, gates=[gate()], comparison=unsure).verdict == "inconclusive"
    assert result(*runs, gates=[gate(verdict="inconclusive")], comparison=worse).verdict == "fail"
    assert result(*runs, gates=[gate()]).verdict == "pass"


def test_the_verdict_of_a_run_on_the_base_side_is_not_that_of_the_head() -> None:
    base = ended(1, "metastable", 1, side="base")
    assert result(PASSED, base, gates=[gate()], comparison=compared(measure())).verdict == "pass"
    broken = ended(1, "failed", 5, side="base")
    found = result(PASSED, broken, gates=[gate()], comparison=compared(measure()))
    assert (found.verdict, found.why[0].startswith("the base side")) == ("failed", True)


def test_no_sound_run_is_inconclusive_and_says_the_doubts() -> None:
    runs = [Concluded(run(number, sound=False, doubts=("late",)), None) for number in (1, 2)]
    assert result(*runs, gates=[gate()]).why == ("none of 2 runs can decide: late",)


def test_the_last_attempt_at_a_seed_counts() -> None:
    first = ended(1, "inconclusive", 3, sound=False)
    assert result(first, PASSED, gates=[gate()]).verdict == "pass"


def test_a_run_without_a_report_keeps_what_the_command_knows(tmp_path: Path) -> None:
    found = concluded(
        tmp_path / "runs" / "x-1",
        None,
        side="head",
        seed=3,
        verdict="interrupted",
        exit_code=130,
        command="brownout run x",
        below=tmp_path,
        why="interrupted by SIGTERM",
        started_at="2026-11-28T00:00:00.000+00:00",
        duration_s=4.5,
    ).run
    assert (found.folder, found.why, found.duration_s) == ("runs/x-1", ("interrupted by SIGTERM",), 4.5)
    assert not found.sound


def all_of(*experiments: ExperimentResult, **options: Any) -> Result:
    facts: dict[str, Any] = {"started_at": "", "duration_s": 1.0, "command": "", "version": "0", "machine": ""}
    return overall(experiments, **facts, folder=Path(), **options)


def test_the_most_severe_experiment_decides_and_only_its_reasons_are_said() -> None:
    bad = replace(result(ended(1, "metastable", 1)), name="bad")
    unsure = replace(result(ended(1, "inconclusive", 3)), name="unsure")
    found = all_of(result(PASSED), unsure, bad)
    assert (found.verdict, found.exit_code, found.why) == ("fail", 1, ("bad: because of metastable",))


def test_an_interrupted_gate_and_one_that_played_nothing_never_pass() -> None:
    assert all_of(result(PASSED), ended="interrupted by the user", not_played=["y"]).why == (
        "interrupted by the user",
        "not played: y",
    )
    assert all_of().exit_code == EXIT_CODES["failed"]
