"""The planted regressions."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.plants import COMPARED, PLANTS, Plant, write_experiment, write_stack
from chaos.experiment.model import load_experiment


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_a_planted_regression_is_a_valid_experiment_and_stack(plant: Plant, tmp_path: Path) -> None:
    experiment = load_experiment(write_experiment(plant, tmp_path), stack=write_stack(plant, tmp_path))
    assert experiment.headline_gate.text == plant.gate
    reference = load_experiment(plant.experiment, stack="multi-cloud")
    assert experiment.stack is not None
    assert reference.stack is not None
    assert experiment.stack.replicas == reference.stack.replicas
    assert experiment.stack.resolved()["gateway"] != reference.stack.resolved()["gateway"]


@pytest.mark.parametrize("plant", COMPARED, ids=lambda plant: plant.name)
def test_a_plant_that_is_compared_changes_the_stack_and_nothing_else(plant: Plant, tmp_path: Path) -> None:
    changed = load_experiment(plant.experiment, stack=write_stack(plant, tmp_path / "new"))
    reference = load_experiment(plant.experiment, stack="multi-cloud")
    assert changed.stack is not None
    assert reference.stack is not None
    policies = [stack.resolved()["gateway"] for stack in (changed.stack, reference.stack)]
    assert (policies[0] != policies[1]) == bool(plant.policies)
    assert (changed.stack.pools != reference.stack.pools) == bool(plant.pools)
    assert changed.gates == reference.gates
    assert changed.name == reference.name


def test_five_plants_are_compared() -> None:
    assert len({plant.name for plant in COMPARED}) == 5
