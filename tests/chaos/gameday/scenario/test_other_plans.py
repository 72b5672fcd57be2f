"""The run sheet of an experiment: its timeline of faults, as it can be injected by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chaos.by_hand.injection import injection
from chaos.experiment.model import experiment_names, load_experiment
from chaos.faults.world import EVERYWHERE
from chaos.gameday.scenario.other_plans import plan_of_experiment, unplayable
from reports.shared.errors import UserError

PLAYABLE = [name for name in experiment_names() if not unplayable(load_experiment(name))]


def test_the_faults_of_an_experiment_become_steps_after_its_baseline() -> None:
    plan = plan_of_experiment(load_experiment("grey-failure"))
    assert [(step.id, step.kind, step.at_s, step.for_s) for step in plan.steps] == [
        ("f1", "slow_decode", 10.0, 20.0),
        ("f2", "slow_prefill", 10.0, 20.0),
        ("f3", "lying_health", 10.0, 20.0),
    ]
    assert (plan.source, plan.length_s, plan.public_title) == ("experiment", None, "Game day")
    assert all(step.repairs is None for step in plan.steps)


@pytest.mark.parametrize("name", PLAYABLE)
def test_each_step_of_a_shipped_experiment_hits_what_the_experiment_hits(name: str) -> None:
    experiment = load_experiment(name)
    stack = experiment.stack
    assert stack is not None
    for step, fault in zip(plan_of_experiment(experiment).steps, experiment.faults, strict=True):
        options = {**step.options, **({} if step.for_s is None else {"for": f"{step.for_s:g}s"})}
        one = injection(
            step.kind,
            options,
            stack=stack,
            profile=experiment.profile,
            offers=EVERYWHERE,
            fault_id="h1",
            seed=experiment.seed,
        )
        assert one.occurrence.targets == fault.targets
        given = {key: value for key, value in fault.params.items() if key != "for_s"}
        assert one.occurrence.spec.params() == given


def test_an_experiment_without_faults_is_refused() -> None:
    experiment = replace(load_experiment("grey-failure"), faults=())
    with pytest.raises(UserError, match="no fault that people could find"):
        plan_of_experiment(experiment)
