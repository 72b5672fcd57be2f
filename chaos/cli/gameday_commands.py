"""The commands for exercises with people, and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from chaos.cli.options import ExperimentArgument, GatewayOption, SeedOption, StackOption, TargetOption

__all__ = ["gameday_commands"]

gameday_commands = typer.Typer()


@gameday_commands.command()
def runbook(
    experiment: ExperimentArgument,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    target: TargetOption = None,
    seed: SeedOption = None,
    earlier: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option("--from", metavar="RUN", help="Show the figures of this earlier run of the experiment."),
    ] = None,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", metavar="DIR", help="Write runbook.md and runbook.html into this folder."),
    ] = None,
) -> None:
    """Print the page for the meeting before an exercise.

    What will be injected, what should happen, what to watch, how to stop it, roles and a checklist.
    """
    from chaos.cli.runbook import write_runbook

    raise typer.Exit(
        write_runbook(experiment, stack=stack, gateway=gateway, target=target, seed=seed, earlier=earlier, out=out)
    )
