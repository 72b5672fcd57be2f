"""What a name or a path means: a scenario or an experiment. Of two that ship under one name, the scenario."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from chaos.experiment.model import EXPERIMENTS, experiment_names
from chaos.gameday.scenario.model import is_scenario, scenario_names
from reports.shared.documents import NotFound, did_you_mean, find_document, read_document

__all__ = ["what_is"]


def what_is(name_or_path: str | Path) -> Literal["scenario", "experiment"]:
    """Which of the two. Raises `NotFound` where it is neither, `InvalidFile` where the file cannot be read."""
    if str(name_or_path) in scenario_names():
        return "scenario"
    try:
        path = find_document(name_or_path, EXPERIMENTS, kind="experiment")
    except NotFound as error:
        names = [*scenario_names(), *experiment_names()]
        what = error.what.replace("no experiment", "no scenario or experiment", 1)
        remedy = did_you_mean(str(name_or_path), names, of="give the path of a file, or one of")
        raise NotFound(what, remedy) from None
    return "scenario" if is_scenario(read_document(path)) else "experiment"
