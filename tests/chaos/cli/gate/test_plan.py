"""What a gate will play, and what it refuses before anything starts."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from chaos.cli.gate.plan import Turn, make_plans, planned_conditions, run_s
from chaos.cli.gate.request import GateRequest
from chaos.experiment.model import load_experiment
from reports.gating.baseline import BaselineFile, make_baseline, write_baselines
from reports.shared.errors import UserError
from tests.support.gate_runs import run_report
from tests.support.run_helpers import write_experiment


@pytest.fixture
def name(tmp_path: Path) -> str:
    return str(write_experiment(tmp_path))


def refused(*experiments: str, **options: Any) -> str:
    with pytest.raises(UserError) as caught:
        make_plans(GateRequest(experiments, **options))
    return str(caught.value)


def saved(tmp_path: Path, name: str, changes: dict[str, Any] | None = None) -> Path:
    """A baseline of five runs of this experiment."""
    reports = []
    for seed in range(21, 26):
        report = run_report(load_experiment(name, seed=seed))
        report["run"] |= changes or {}
        reports.append(report)
    baseline = make_baseline(reports, version="0", saved_at="2026-11-28T00:00:00+00:00")
    return write_baselines(tmp_path / "baseline.json", BaselineFile(1, [baseline]))


def test_one_run_with_the_seed_of_the_experiment_is_the_usual_gate(name: str) -> None:
    [plan] = make_plans(GateRequest((name,)))
    assert list(plan.turns()) == [Turn("head", 3)]
    assert not plan.compared


def test_repeated_runs_have_other_sessions_each(name: str) -> None:
    [plan] = make_plans(GateRequest((name,), repeat=3, seed=40))
    assert list(plan.turns()) == [Turn("head", seed) for seed in (40, 41, 42)]
    assert plan.of(Turn("head", 41)).seed == 41


def test_sides_begin_in_turn_and_each_seed_is_played_on_both(name: str) -> None:
    [plan] = make_plans(GateRequest(("lose-tpu-pool",), against="naive"))
    turns = list(plan.turns())
    assert len(turns) == 12
    for first, second in zip(turns[::2], turns[1::2], strict=True):
        assert first.seed == second.seed
        assert {first.side, second.side} == {"head", "base"}
    firsts = [turn.side for turn in turns[::2]]
    assert all(one != other for one, other in pairwise(firsts)), "a drift of the machine meets both sides"
    base = plan.of(Turn("base", 9))
    assert base.stack is not None
    assert (base.stack.name, base.seed, plan.base_label) == ("naive", 9, "naive")


def test_a_baseline_gives_the_seeds_and_five_runs(tmp_path: Path, name: str) -> None:
    [plan] = make_plans(GateRequest((name,), baseline=saved(tmp_path, name)))
    assert plan.seeds == (21, 22, 23, 24, 25)
    assert plan.base_label == "baseline of 2026-11-28"
    assert [one.label for one in plan.tolerances if one.judged]


def test_tolerances_of_the_command_go_before_the_file_and_these_before_the_baseline(tmp_path: Path, name: str) -> None:
    stored = saved(tmp_path, name)
    Path(name).write_text(Path(name).read_text() + "tolerances: [ttft.p95=30%, tpot.p95=40%, goodput=off]\n")
    [plan] = make_plans(GateRequest((name,), baseline=stored, tolerances=("tpot.p95=50%",)))
    found = {one.label: (one.size, one.judged) for one in plan.tolerances}
    assert found["ttft.p95"] == (0.3, True)
    assert found["tpot.p95"] == (0.5, True)
    assert found["e2e.p95"] == (0.15, True)
    assert not found["goodput"][1]
    assert make_plans(GateRequest((name,)))[0].tolerances == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "another"}, "no baseline of small, only of another"),
        ({"stack": "other"}, "its baseline of small is of other, not of small"),
        ({"machine": "64 cores, 512 GB"}, "played on 64 cores, 512 GB"),
        ({"slo": {"ttft": 9.0, "tpot": 0.5}}, "objectives"),
        ({"load_scale": 0.5}, "scaled differently"),
        ({"profile": "other"}, "different profiles"),
    ],
)
def test_a_baseline_that_does_not_apply_is_refused_before_any_run(
    tmp_path: Path, name: str, changes: dict[str, Any], said: str
) -> None:
    message = refused(name, baseline=saved(tmp_path, name, changes))
    assert said in message
    assert "brownout baseline save small --out" in message


def test_more_runs_than_the_baseline_has_cannot_be_paired(tmp_path: Path, name: str) -> None:
    assert "--repeat 5" in refused(name, baseline=saved(tmp_path, name), repeat=8)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"against": "naive", "baseline": Path("b.json")}, "exclude each other"),
        ({"tolerances": ("ttft.p95=20%",)}, "--tolerance is about a comparison"),
        ({"baseline": Path("b.json"), "seed": 3}, "leave it out"),
        ({"against": "naive", "repeat": 4}, "at least 5 runs"),
        ({"until_decided": True, "repeat": 11}, "at most 10 times"),
        ({"against": "naive", "tolerances": ("nosuch=20%",)}, "nosuch"),
        ({"against": "nosuch"}, "neither a stack"),
        ({"against": "nosuch.yaml"}, "nosuch.yaml"),
        ({"baseline": Path("nosuch.json")}, "nosuch.json"),
        ({"stack": "nosuch"}, "nosuch"),
        ({"seed": 2**63 - 2, "repeat": 4}, "give a smaller one"),
        ({"scale": "auto", "baseline": Path("b.json")}, "fixed load"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(name: str, options: dict[str, Any], said: str) -> None:
    assert said in refused(name, **options)


def test_every_problem_of_every_experiment_is_said_at_once(name: str) -> None:
    message = refused(name, "nosuch-1", "nosuch-2")
    assert "nosuch-1" in message
    assert "nosuch-2" in message


def test_two_experiments_of_one_name_are_refused(name: str) -> None:
    assert "two experiments have the name small" in refused(name, name)


def test_a_repeat_that_the_time_does_not_allow_is_refused_with_the_time_that_would(name: str) -> None:
    [plan] = make_plans(GateRequest((name,), repeat=10))
    message = refused(name, repeat=10, within_s=60.0)
    assert f"10 x {round(run_s(plan.head))} s for small" in message
    minutes = int(message.rpartition("--within ")[2].partition("m")[0])
    assert make_plans(GateRequest((name,), repeat=10, within_s=60.0 * minutes))


def test_until_decided_needs_the_time_of_its_fewest_runs_only(name: str) -> None:
    assert make_plans(GateRequest((name,), until_decided=True, within_s=60.0))[0].seeds == tuple(range(3, 13))
    assert "do not fit" in refused("lose-tpu-pool", until_decided=True, within_s=600.0, against="naive")


@pytest.mark.parametrize("options", [{}, {"stack": "naive"}])
def test_the_planned_conditions_of_the_catalogue_have_every_phase(options: dict[str, Any]) -> None:
    found = planned_conditions(load_experiment("lose-tpu-pool", **options))
    assert set(found.phases_s) == {"baseline", "fault", "recovery"}
    assert found.target == options.get("stack", "multi-cloud")
