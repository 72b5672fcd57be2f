"""Planted regressions: a policy or a pool of multi-cloud made worse, and the gate that must fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import yaml

from chaos.experiment.model import EXPERIMENTS
from targets.stack import STACKS

__all__ = ["COMPARED", "PLANTS", "Plant", "write_experiment", "write_stack"]


@dataclass(frozen=True)
class Plant:
    """`policies` and `pools` replace those of multi-cloud, key by key.

    `gate`: added to the experiment if it lacks it; "" where the runs are compared with those of multi-cloud instead.
    """

    name: str
    experiment: str
    gate: str
    policies: Mapping[str, Any] = field(default_factory=dict)
    pools: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


PLANTS: Final = (
    Plant("no migration", "cut-streams", "sessions_lost == 0", {"migration": None}),
    Plant(
        "timeouts ten times longer",
        "stalled-streams",
        "failover.max <= 5 s",
        {"timeouts": {"first_token_s": "10s", "between_tokens_s": "12s"}},
    ),
    Plant("no affinity", "lose-tpu-pool", "prefill_amplification <= 1.5", {"affinity": None}),
)

COMPARED: Final = (
    replace(PLANTS[0], experiment="cloud-outage", gate=""),
    replace(PLANTS[1], gate=""),  # lost replicas refuse connections: no timeout is about that
    replace(PLANTS[2], experiment="cloud-outage", gate=""),
    Plant("older chips in one pool", "cloud-outage", "", pools={"trainium": {"hardware": "llama-70b-trn1-16"}}),
    Plant("one replica fewer", "cloud-outage", "", pools={"nvidia": {"replicas": 1}}),
)
"""Those of `gate_honesty`: their runs are compared with runs of multi-cloud. The last two change no policy: replicas
are slower, or fewer."""


def write_stack(plant: Plant, folder: Path) -> Path:
    """Write the stack file with what is worse. Returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    file: dict[str, Any] = yaml.safe_load((STACKS / "multi-cloud.yaml").read_text())
    policies = file["gateway"]["policies"]
    for name, changed in plant.policies.items():
        policies[name] = {**policies[name], **changed} if isinstance(changed, Mapping) else changed
    for name, given in plant.pools.items():
        file["pools"][name] = {**file["pools"][name], **given}
    name = _file_name(plant)
    file.update(name=name, title=f"multi-cloud with a regression: {plant.name}")
    path = folder / f"{name}-stack.yaml"
    path.write_text(yaml.safe_dump(file, sort_keys=False))
    return path


def write_experiment(plant: Plant, folder: Path) -> Path:
    """Write the experiment with the gate as its headline gate. Returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    file: dict[str, Any] = yaml.safe_load((EXPERIMENTS / f"{plant.experiment}.yaml").read_text())
    if plant.gate not in file["gates"]:
        file["gates"].append(plant.gate)
    file.update(name=_file_name(plant), headline_gate=plant.gate)
    path = folder / f"{file['name']}.yaml"
    path.write_text(yaml.safe_dump(file, sort_keys=False))
    return path


def _file_name(plant: Plant) -> str:
    return plant.name.replace(" ", "-")
