"""Gates and guardrails that the planned load cannot reach are named, with the reason."""

from __future__ import annotations

from pathlib import Path

from chaos.experiment.gate_load import unreached_gates, unreached_guardrails
from chaos.experiment.load_estimate import LoadEstimate, PlannedCall, PlannedSession
from tests.support.experiment_files import accepted

PLAN = LoadEstimate(tuple(PlannedSession(5 + n / 10, "hooli", (PlannedCall(5 + n / 10, 9.0),)) for n in range(100)))
"""A hundred sessions of one call, from 5 s to 15 s: all in the baseline."""


def found(folder: Path, *gates: str, **given: str) -> dict[str, str]:
    made = accepted(folder, *gates, **given)
    return {gate.text: why for gate, why in unreached_gates(made, PLAN)}


def test_a_fact_of_a_phase_without_load_is_named(tmp_path: Path) -> None:
    gates = ("sessions_lost during fault == 0", "ttft.max in recovery <= 9 s", "calls_failed in baseline == 0")
    assert found(tmp_path, *gates) == {
        "sessions_lost during fault == 0": "the plan has no sessions there, so that no run can decide the gate",
        "ttft.max in recovery <= 9 s": "the plan has no calls there, so that no run can decide the gate",
    }


def test_a_fact_of_a_tenant_without_load_is_named(tmp_path: Path) -> None:
    gates = ("shed for tenant=hooli >= 1", "shed for tenant=stark == 0", "calls_failed for tier=subscription == 0")
    assert list(found(tmp_path, *gates, load="heavy-user")) == list(gates[1:])


def test_a_limit_far_above_the_planned_load_is_named(tmp_path: Path) -> None:
    gates = ("sessions_lost <= 200", "sessions >= 201", "calls_failed <= 199", "preemptions <= 1000")
    assert found(tmp_path, *gates) == {
        "sessions_lost <= 200": "it can hardly ever fail: the plan has about 100 sessions there",
        "sessions >= 201": "it can hardly ever pass: the plan has about 100 sessions there",
    }


def test_the_length_of_a_restart_without_grace_and_cold_start_is_not_known(tmp_path: Path) -> None:
    restart = "{restart: {pool: tpu, grace: 0s, cold_start: 0s}}"
    assert found(tmp_path, "sessions_lost during fault == 0", faults=restart) == {}


def test_a_guardrail_far_above_the_planned_load_is_named(tmp_path: Path) -> None:
    rails = (
        "abort if sessions_lost > 200 for 5s, abort if sessions_lost > 50 for 5s, abort if calls_failed > 1e3 for 5s"
    )
    made = accepted(tmp_path, "shed == 0", guardrails=rails.replace("1e3", "1000"))
    assert [(rail.text, why) for rail, why in unreached_guardrails(made, PLAN)] == [
        ("abort if sessions_lost > 200 for 5s", "it can hardly ever stop a run: the plan has about 100 sessions"),
        ("abort if calls_failed > 1000 for 5s", "it can hardly ever stop a run: the plan has about 100 calls"),
    ]
