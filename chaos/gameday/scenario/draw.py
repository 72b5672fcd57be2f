"""The draw: one scenario or experiment of a family, by a seed. Only the game master knows which one it is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from chaos.experiment.draft import GatewayChoice
from chaos.experiment.model import EXPERIMENTS, experiment_names, load_experiment
from chaos.experiment.target_file import read_target
from chaos.gameday.core.plan import Drawn
from chaos.gameday.scenario.model import SCENARIOS, GameDay, load_scenario, scenario_names
from chaos.gameday.scenario.named import what_is
from chaos.gameday.scenario.other_plans import plan_of_experiment, unplayable
from reports.shared.documents import did_you_mean, read_document
from reports.shared.draws import bits
from reports.shared.errors import InvalidFile, UserError

__all__ = ["Candidate", "candidates", "chosen_by", "draw", "families", "load_game_day"]


class Candidate(NamedTuple):
    """A scenario or an experiment that ships."""

    source: str
    name: str
    family: str

    @property
    def path(self) -> Path:
        """Its file."""
        return (SCENARIOS if self.source == "scenario" else EXPERIMENTS) / f"{self.name}.yaml"


@cache
def candidates() -> tuple[Candidate, ...]:
    """Every scenario that ships, and every experiment that people can play as a game day."""
    found = [
        Candidate("scenario", name, str(read_document(SCENARIOS / f"{name}.yaml").data.get("family", "")))
        for name in scenario_names()
    ]
    for name in experiment_names():
        experiment = load_experiment(EXPERIMENTS / f"{name}.yaml")
        if not unplayable(experiment):
            found.append(Candidate("experiment", name, experiment.family))
    return tuple(found)


def families() -> list[str]:
    """The families from which something can be drawn."""
    return sorted({one.family for one in candidates() if one.family})


def draw(
    seed: int,
    family: str,
    *,
    stack: str | Path | None = None,
    target: Path | None = None,
    gateway: GatewayChoice | None = None,
) -> GameDay:
    """Draw one of a family that the target can play: the same seed and target draw the same one.

    Raises UserError where the family has none, `InvalidFile` for mistakes in the target.
    """
    if not 0 <= seed < 2**63:
        raise UserError(f"--draw {seed}: a seed is a whole number of 0 or more")
    if target is not None and (mistakes := read_target(target)[1]):
        raise InvalidFile(mistakes)
    drawn = Drawn(seed=seed, family=family)
    for one in _in_order(seed, family):
        try:
            return _loaded(one, drawn, {"stack": stack, "target": target, "gateway": gateway})
        except InvalidFile as error:
            if {problem.file for problem in error.problems} - {str(one.path), str(target)}:
                raise
    raise UserError(
        f"--family {family}: this target can play nothing of it\n"
        "    name another family or target; brownout gameday --free plays on any that has replicas of brownout"
    )


def _loaded(one: Candidate, drawn: Drawn, target: Mapping[str, Any]) -> GameDay:
    if one.source == "scenario":
        return load_scenario(one.name, drawn=drawn, **target)
    experiment = load_experiment(one.name, **target)
    return GameDay(plan_of_experiment(experiment, drawn), experiment)


def chosen_by(seed: int, family: str) -> Candidate:
    """The one of a family that a seed draws on its own target. Raises UserError where the family has none."""
    return _in_order(seed, family)[0]


def _in_order(seed: int, family: str) -> list[Candidate]:
    """All of a family; the first that the target can play is the one that is drawn."""
    of_family = [one for one in candidates() if one.family == family]
    if not of_family:
        raise UserError(f"--family {family}: there is nothing to draw\n    {did_you_mean(family, families())}")
    return sorted(of_family, key=lambda one: (bits(f"{seed}/draw/{one.source}/{one.name}"), one))


def load_game_day(
    name_or_path: str | Path,
    *,
    stack: str | Path | None = None,
    seed: int | None = None,
    target: Path | None = None,
    gateway: GatewayChoice | None = None,
) -> GameDay:
    """A scenario or an experiment: one that ships by name (a scenario first), or a user's file by path.

    Raises `InvalidFile` with every mistake of the file, `UserError` where it is neither.
    """

    if what_is(name_or_path) == "scenario":
        return load_scenario(name_or_path, stack=stack, seed=seed, target=target, gateway=gateway)
    experiment = load_experiment(name_or_path, stack=stack, seed=seed, target=target, gateway=gateway)
    return GameDay(plan_of_experiment(experiment), experiment)
