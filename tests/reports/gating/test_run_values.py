"""The values of a run that are compared: taken from its report, with why it may not decide."""

from __future__ import annotations

import math
from typing import Any

import pytest

from reports.gating.run_values import pairs_by_seed, run_values, spec_of, stat_of, where_of
from tests.support.compared_reports import compared_report
from tests.support.compared_runs import compared_run


def report(**changes: Any) -> dict[str, Any]:
    _, made = compared_report({"calls": 400.0, "sessions": 70.0, "ttft.p95": 0.5, "failover.max": "never"}, seed=3)  # type: ignore[dict-item]
    made["verdict"] = {"verdict": "pass", "exit_code": 0, "why": ["all gates passed"]}
    made |= {"steady_state": [], "faults": [], "carrying": None, "proofs": proofs()}
    return {**made, **changes}


def proofs(**changes: Any) -> dict[str, Any]:
    return {"doubts": [], "machine_doubts": [], "severe_doubts": [], "loadgen": {"arrivals": 70}, **changes}


def test_values_counts_and_the_seed_are_taken_from_a_report() -> None:
    run = run_values(report())
    assert (run.seed, run.sound, run.doubtful, run.why) == (3, True, False, "")
    assert (run.calls["run"], run.calls["fault"], run.sessions["run"]) == (400, 400, 70)
    assert run.value("ttft.p95", None) == run.value("ttft.p95", "fault") == 0.5
    assert run.value("failover.max", None) == math.inf
    assert run.value("tpot.p95", None) is None
    assert run.value("ttft.p95", "drain") is None


def test_a_gate_brings_values_that_the_table_of_measures_lacks() -> None:
    gates = [
        {"measure": "ttft.p90", "phase": "fault", "where": None, "value": 0.4, "why": ""},
        {"measure": "shed", "phase": None, "where": "tier=batch", "value": 6, "why": ""},
        {"measure": "shed", "phase": "drain", "where": None, "value": 6, "why": ""},
        {"measure": "goodput", "phase": None, "where": None, "value": None, "why": ""},
    ]
    run = run_values(report(gates=gates))
    assert run.value("ttft.p90", "fault") == 0.4
    assert run.value("shed for tier=batch", None) == 6.0
    assert "shed" not in run.measures
    assert "goodput" not in run.measures


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"verdict": {"verdict": "aborted", "why": ["stopped by a guardrail: x"]}}, "stopped early"),
        ({"verdict": {"verdict": "interrupted", "why": []}}, "interrupted"),
        (
            {"phases": [{"name": "fault", "start_s": 0, "end_s": 1, "finished": False}]},
            "before the end of its baseline",
        ),
        ({"proofs": proofs(doubts=["late"], severe_doubts=["20% late"])}, "20% late"),
        ({"faults": [{"doubts": ["fault f1 hit nothing"]}]}, "fault f1 hit nothing"),
        ({"proofs": proofs(doubts=["x"], joins={"other_upstreams": True})}, "answered by others"),
    ],
)
def test_a_run_that_may_not_decide_says_why(changes: dict[str, Any], why: str) -> None:
    run = run_values(report(**changes))
    assert not run.sound
    assert why in run.why


@pytest.mark.parametrize("verdict", ["pass", "fail", "inconclusive", "metastable", "overloaded"])
def test_a_run_that_ended_by_itself_may_decide(verdict: str) -> None:
    assert run_values(report(verdict={"verdict": verdict, "why": ["x"]})).sound


def test_a_doubt_about_the_machine_makes_a_sound_run_doubtful() -> None:
    run = run_values(report(proofs=proofs(doubts=["2% late"])))
    assert (run.sound, run.doubtful) == (True, True)


def test_runs_are_paired_by_seed_and_sound_ones_first() -> None:
    head = [compared_run(2), compared_run(1, sound=False, why="aborted"), compared_run(1, started_at="2026-11-29")]
    base = [compared_run(1), compared_run(3), compared_run(2)]
    pairs = pairs_by_seed(head, base)
    assert [(one.seed, one.sound, other.seed) for one, other in pairs] == [(1, True, 1), (2, True, 2)]


def test_the_name_of_a_measure_has_parts() -> None:
    assert spec_of("slo_attainment for tier=a.b") is spec_of("slo_attainment")
    assert spec_of("nonsense.p95") is None
    assert (stat_of("ttft.p99.9 for tier=a.b"), where_of("ttft.p99.9 for tier=a.b")) == ("p99.9", "tier=a.b")
    assert (stat_of("shed"), where_of("shed")) == ("", "")
