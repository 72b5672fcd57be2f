"""Whether the planned load is enough to decide each gate."""

from __future__ import annotations

from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    ("gate", "needed"),
    [
        ("ttft.p95 in baseline <= 1 s", 72),  # two-sided, as in docs/measures.md
        ("ttft.p99 in baseline <= 1 s", 368),
        ("slo_attainment in baseline >= 95%", 73),
        ("error_rate in baseline <= 1%", 381),
    ],
)
def test_percentiles_and_rates_need_as_many_samples_as_their_interval(tmp_path: Path, gate: str, needed: int) -> None:
    for sessions in (3, 30, 300, 3000):
        estimate = load(sessions, 2)
        found = gate_plan(tmp_path, gate, estimate)
        samples = estimate.calls_in([(0, 10)])
        assert (found.samples, found.needed) == (samples, needed)
        assert found.enough == (samples >= needed)
        assert found.reason.startswith("yes" if found.enough else f"no: about {samples} calls are too few")


def test_a_gate_on_a_rate_names_the_bad_samples_with_which_it_passes(tmp_path: Path) -> None:
    # The lower bound of Wilson's 95 % interval: 94.6 % for 99 of 100, 96.3 % for 100 of 100.
    assert gate_plan(tmp_path, "session_success >= 95%", load(100, 1)).reason == (
        "yes: passes with up to about 0 bad of 100 sessions"
    )
    assert gate_plan(tmp_path, "session_success >= 94%", load(100, 1)).reason == (
        "yes: passes with up to about 1 bad of 100 sessions"
    )
    assert gate_plan(tmp_path, "error_rate <= 6%", load(100, 1)).reason == (
        "yes: passes with up to about 1 bad of 100 calls"
    )


def test_percentiles_and_ratios_need_enough_sessions_to_resample(tmp_path: Path) -> None:
    few = load(9, 100, over_s=0.5)
    for gate in ("ttft.p95 <= 1 s", "retry_amplification <= 1.1"):
        found = gate_plan(tmp_path, gate, few)
        assert (found.enough, found.reason) == (False, "no: an interval needs 10 sessions, and about 9 are planned")
        assert gate_plan(tmp_path, gate, load(20, 20, over_s=0.5)).enough


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


def test_the_plans_of_the_shipped_experiments_can_decide_each_gate_without_a_warning() -> None:
    for name in experiment_names():
        made = load_experiment(name)
        plan = make_plan(made, estimated(made))
        assert [gate.gate.text for gate in plan.gates if not gate.enough] == [], name
        assert plan.decidable
        assert [*unreached_gates(made, plan.estimate), *unreached_guardrails(made, plan.estimate)] == [], name
        assert sum(len(session.calls) for session in plan.estimate.sessions) >= 50, name
