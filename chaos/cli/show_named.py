"""`brownout show NAME`: an experiment or a scenario in full."""

from __future__ import annotations

from chaos.cli.show import print_experiment
from chaos.cli.show_scenario import print_scenario
from chaos.gameday.scenario.named import what_is

__all__ = ["print_named"]


def print_named(name: str, *, as_json: bool) -> None:
    """Print the scenario or the experiment of this name or path. Raises UserError if there is neither."""
    if what_is(name) == "scenario":
        print_scenario(name, as_json=as_json)
    else:
        print_experiment(name, as_json=as_json)
