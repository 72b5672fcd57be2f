"""`brownout list`: what there is to play."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from chaos.experiment import experiment_names, load_experiment
from loadprofiles.profile_file import load_profile, profile_names
from targets.stack import load_stack, stack_names

__all__ = ["print_catalogue"]


def print_catalogue() -> None:
    """Print experiments by family, stacks and profiles, a line each."""
    console = Console()
    table = Table(
        "experiment", "family", "what it claims", title="Experiments: brownout run NAME", title_justify="left"
    )
    experiments = [load_experiment(name) for name in experiment_names()]
    for experiment in sorted(experiments, key=lambda one: (one.family, one.name)):
        table.add_row(experiment.name, experiment.family, experiment.title)
    console.print(table)
    table = Table("stack", "replicas", "what it is", title="Stacks: --stack NAME", title_justify="left")
    for name in stack_names():
        stack = load_stack(name)
        pools = ", ".join(f"{pool.name} x {pool.replicas}" for pool in stack.pools)
        table.add_row(stack.name, pools, stack.title)
    console.print(table)
    table = Table("profile", "what it is", title="Load profiles: load: {profile: NAME}", title_justify="left")
    for name in profile_names():
        table.add_row(name, load_profile(name).title)
    console.print(table)
