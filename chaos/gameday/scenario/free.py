"""An exercise without a plan: a target and a load; the game master injects faults by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from chaos.experiment.draft import GatewayChoice
from chaos.experiment.model import load_experiment
from chaos.gameday.scenario.model import GameDay
from chaos.gameday.scenario.other_plans import free_plan
from loadprofiles.sessions.profile_file import load_profile

__all__ = ["free_game_day"]

_FILE: Final = Path(__file__).with_name("free.yaml")


def free_game_day(
    *,
    stack: str | None = None,
    target: Path | None = None,
    gateway: GatewayChoice | None = None,
    profile: str | None = None,
    seed: int | None = None,
) -> GameDay:
    """The exercise `--free`. Raises UserError, InvalidFile for an option that is wrong."""
    experiment = load_experiment(_FILE, stack=stack, target=target, gateway=gateway, seed=seed)
    if profile is not None:
        experiment = replace(experiment, profile=load_profile(profile))
    return GameDay(free_plan(experiment.title), experiment)
