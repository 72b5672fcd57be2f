"""Whether the planned load is enough to decide each gate."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.catalogue import CHECK_SEEDS
from chaos.cli.plan import GatePlan, estimated, make_plan
from chaos.experiment.gate_load import unreached_gates, unreached_guardrails
from chaos.experiment.load_estimate import LoadEstimate, PlannedCall, PlannedSession
from chaos.experiment.model import experiment_names, load_experiment
from tests.support.plans import TEXT, experiment, load


def gate_plan(folder: Path, gate: str, estimate: LoadEstimate, fault: str = "kill: {pool: tpu}") -> GatePlan:
    return make_plan(experiment(folder, gate, fault=fault), estimate).gates[-1]


def test_any_run_decides_a_gate_on_a_fact(tmp_path: Path) -> None:
    for gate in ("sessions_lost == 0", "failover.max <= 5 s", "time_to_recover <= 9 s", "ttft.max during fault <= 9 s"):
        found = gate_plan(tmp_path, gate, load(1, 1))
        assert (found.samples, found.needed, found.enough) == (None, None, True)


TWO_SLOW = "yes, but not if a session has two slow calls: more sessions are needed"


@pytest.mark.parametrize(
    ("gate", "sessions", "calls", "why"),
    [
        ("ttft.p95 in baseline <= 1 s", 60, 1, "no: about 60 calls are too few; a p95 needs 72"),
        ("ttft.p95 in baseline <= 1 s", 20, 5, "no: about 88 calls count as 19 at best; a p95 needs 72"),
        ("ttft.p95 in baseline <= 1 s", 200, 2, "yes"),
        ("ttft.p95 in baseline <= 1 s", 40, 3, TWO_SLOW),
        ("slo_attainment in baseline >= 95%", 70, 5, "no: at best 94.52% to 100%"),
        (
            "slo_attainment in baseline >= 95%",
            120,
            5,
            "yes: at best 96.72% to 100%; with 1% of bad calls 95.36% to 100%",
        ),
        ("error_rate in baseline <= 1%", 300, 1, "no: at best 0% to 1.264%"),
        (
            "error_rate in baseline <= 2%",
            300,
            1,
            "yes, at best 0% to 1.264%, but not with 1% of bad calls: 0% to 2.898%",
        ),
        ("retry_amplification <= 1.03", 100, 4, "no: at best 1x to 1.04x"),
    ],
)
def test_the_plan_has_the_best_interval_that_the_load_can_give(
    tmp_path: Path, gate: str, sessions: int, calls: int, why: str
) -> None:
    found = gate_plan(tmp_path, gate, load(sessions, calls, over_s=9.0))
    assert found.reason == why
    assert found.enough == why.startswith("yes")
    assert found.room == ("but not" not in why and found.enough)


def test_ratios_need_enough_sessions_to_resample(tmp_path: Path) -> None:
    few = load(9, 100, over_s=0.5)
    found = gate_plan(tmp_path, "prefill_amplification <= 1.1", few)
    assert (found.enough, found.reason) == (False, "no: an interval needs 10 sessions, and about 9 are planned")
    assert gate_plan(tmp_path, "prefill_amplification <= 1.1", load(50, 20, over_s=0.5)).enough


def test_a_comparison_with_the_baseline_needs_samples_in_both(tmp_path: Path) -> None:
    early = LoadEstimate(tuple(PlannedSession(1.0, None, (PlannedCall(11.0, 12.0),)) for _ in range(100)))
    found = gate_plan(tmp_path, "ttft.p95 during fault <= 2 x baseline", early)
    assert (found.enough, found.reason) == (False, "no: about 0 calls in the baseline are too few")


def test_a_gate_for_a_pool_gets_the_samples_of_that_pool(tmp_path: Path) -> None:
    found = gate_plan(tmp_path, "ttft.p95 for pool=tpu <= 1 s", load(100, 3))
    assert found.samples == load(100, 3).calls_in([(0, 30)]) // 3


def test_a_gate_for_a_tier_gets_the_samples_of_its_tenants(tmp_path: Path) -> None:
    gate = "ttft.p95 for tier=subscription <= 1 s"  # 40 of 100 shares
    path = tmp_path / "mine.yaml"
    text = TEXT.replace("coding-agent-ci", "tiered-ci").replace("FAULT", "kill: {pool: tpu}")
    path.write_text(text.replace("GATES", f"  - {gate}"))
    found = make_plan(load_experiment(path), load(100, 3)).gates[-1]
    assert found.samples == int(load(100, 3).calls_in([(0, 30)]) * 0.4)


def test_the_samples_of_retry_after_honoured_are_unknown_before_the_run(tmp_path: Path) -> None:
    found = gate_plan(tmp_path, "retry_after_honoured >= 90%", load(100, 3))
    assert found.samples is None
    assert found.reason == "unknown: it depends on how many calls get a retry-after and come back"


@pytest.mark.parametrize(
    ("fault", "met"),
    [
        ("kill: {pool: tpu}", 20 / 3),  # of the 20 in flight at its start
        ("kill: {replica: tpu-0}", 20 / 6),
        ("cut: {pool: tpu, how: fin}", (20 + 100) / 3),  # and those that are sent while it is active
        ("cut: {pool: tpu, how: fin, share: 30%}", (20 + 100) / 3 * 0.3),
        ("cut: {pool: tpu, how: fin, at_most: 3}", 6),  # at each of two replicas
        ("cut: {pool: tpu, how: fin, after_requests: 10}", 100 / 3 - 20),
        ("cut: {pool: tpu, how: fin, after_requests: 10, share: 50%}", (100 / 3 - 20) / 2),
    ],
)
def test_the_number_of_calls_that_meet_a_fault_is_estimated(tmp_path: Path, fault: str, met: float) -> None:
    sessions = tuple(PlannedSession(n / 10, None, (PlannedCall(n / 10, n / 10 + 2.0),)) for n in range(300))
    found = gate_plan(tmp_path, "failover.p50 <= 1 s", LoadEstimate(sessions), fault)
    assert found.what == "interrupted calls"
    assert found.samples == round(met)


def test_a_surge_is_met_by_the_calls_of_its_own_sessions(tmp_path: Path) -> None:
    made = experiment(tmp_path, "failover_rate >= 50%", fault="surge: {factor: 5}")
    estimate = estimated(made)
    added = [session for session in estimate.sessions if session.fault == "f1"]
    assert len(added) == 188  # four times 4.7 a second, for 10 s
    assert make_plan(made, estimate).gates[-1].samples == sum(len(session.calls) for session in added)


def test_long_reasoning_is_met_by_its_share_of_the_calls(tmp_path: Path) -> None:
    made = experiment(tmp_path, "failover_rate >= 50%", fault="long_reasoning: {factor: 5, share: 10%}")
    estimate = estimated(made)
    assert make_plan(made, estimate).gates[-1].samples == round(estimate.calls_in([(10, 20)]) * 0.1)


@pytest.mark.parametrize(
    "seed", [None, CHECK_SEEDS[0], *(pytest.param(seed, marks=pytest.mark.long) for seed in CHECK_SEEDS[1:])]
)
def test_the_plans_of_the_shipped_experiments_can_decide_each_gate(seed: int | None) -> None:
    for name in experiment_names():
        made = load_experiment(name, seed=seed)
        plan = make_plan(made, estimated(made))
        assert [gate.gate.text for gate in plan.gates if not gate.enough] == [], name
        assert [gate.gate.text for gate in plan.gates if not gate.room] == [], f"{name}: no room for 1 % of bad calls"
        assert plan.decidable
        assert [*unreached_gates(made, plan.estimate), *unreached_guardrails(made, plan.estimate)] == [], name
        assert sum(len(session.calls) for session in plan.estimate.sessions) >= 50, name
