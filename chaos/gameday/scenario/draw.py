"""The draw: one scenario or experiment of a family, by a seed. Only the game master knows which one it is."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from chaos.experiment.draft import GatewayChoice
from chaos.experiment.model import EXPERIMENTS, experiment_names, load_experiment
from chaos.gameday.core.plan import Drawn
from chaos.gameday.scenario.model import SCENARIOS, GameDay, is_scenario, load_scenario, scenario_names
from chaos.gameday.scenario.other_plans import plan_of_experiment, unplayable
from reports.shared.documents import NotFound, did_you_mean, find_document, read_document
from reports.shared.draws import bits
from reports.shared.errors import UserError

__all__ = ["Candidate", "candidates", "chosen_by", "draw", "families", "load_game_day"]


class Candidate(NamedTuple):
    """A scenario or an experiment that ships."""

    source: str
    name: str
    family: str


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
    """Draw one of a family: the same seed draws the same one. Raises UserError where the family has none."""
    if not 0 <= seed < 2**63:
        raise UserError(f"--draw {seed}: a seed is a whole number of 0 or more")
    chosen = chosen_by(seed, family)
    drawn = Drawn(seed=seed, family=family)
    if chosen.source == "scenario":
        return load_scenario(chosen.name, stack=stack, target=target, gateway=gateway, drawn=drawn)
    experiment = load_experiment(chosen.name, stack=stack, target=target, gateway=gateway)
    return GameDay(plan_of_experiment(experiment, drawn), experiment)


def chosen_by(seed: int, family: str) -> Candidate:
    """The one of a family that a seed draws. Raises UserError where the family has none."""
    of_family = [one for one in candidates() if one.family == family]
    if not of_family:
        raise UserError(f"--family {family}: there is nothing to draw\n    {did_you_mean(family, families())}")
    return min(of_family, key=lambda one: (bits(f"{seed}/draw/{one.source}/{one.name}"), one))


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

    def as_scenario() -> GameDay:
        return load_scenario(name_or_path, stack=stack, seed=seed, target=target, gateway=gateway)

    if str(name_or_path) in scenario_names():
        return as_scenario()
    try:
        path = find_document(name_or_path, EXPERIMENTS, kind="experiment")
    except NotFound as error:
        names = [*scenario_names(), *experiment_names()]
        what = error.what.replace("no experiment", "no scenario or experiment")
        raise UserError(f"{what}\n    {did_you_mean(str(name_or_path), names)}") from None
    if is_scenario(read_document(path)):
        return as_scenario()
    experiment = load_experiment(name_or_path, stack=stack, seed=seed, target=target, gateway=gateway)
    return GameDay(plan_of_experiment(experiment), experiment)
