"""The commands for exercises with people, and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from chaos.cli.options import (
    AllowExposedOption,
    ExperimentArgument,
    GatewayOption,
    RunsOption,
    SeedOption,
    StackOption,
    TargetOption,
    YesIMayOption,
)

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

    For an experiment or a scenario: what will be injected, what should happen, what to watch, how to stop it, roles
    and a checklist.
    """
    from chaos.cli.runbook import write_runbook

    raise typer.Exit(
        write_runbook(experiment, stack=stack, gateway=gateway, target=target, seed=seed, earlier=earlier, out=out)
    )


@gameday_commands.command()
def gameday(
    name: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(metavar="[NAME]", help="A scenario or an experiment from `brownout list`, or a file."),
    ] = None,
    free: Annotated[
        bool, typer.Option("--free", help="No plan: load, and faults that the game master injects.")
    ] = False,
    drawn: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--draw", metavar="SEED", help="Draw one of a family; only the game master knows which.", min=0),
    ] = None,
    family: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--family", metavar="FAMILY", help="Of --draw: a family of `brownout list`."),
    ] = None,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    target: TargetOption = None,
    profile: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--profile", help="Of --free: the sessions, from `brownout list profiles` or a file."),
    ] = None,
    seed: SeedOption = None,
    port: Annotated[int, typer.Option("--port", help="Of the pages; 0 for a free one.", min=0, max=65535)] = 0,
    listen: Annotated[
        str, typer.Option("--listen", metavar="ADDRESS", help="Address of the pages; beyond loopback only with TLS.")
    ] = "127.0.0.1",
    certificate: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--certificate", metavar="FILE", help="TLS certificate of the pages, PEM."),
    ] = None,
    key: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--key", metavar="FILE", help="Private key of the certificate, PEM."),
    ] = None,
    public_url: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--public-url", metavar="URL", help="How browsers reach the pages through a proxy."),
    ] = None,
    stay: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--stay", metavar="TIME", help="How long the pages stay after the end: 10m. Default: until Ctrl-C."
        ),
    ] = None,
    runs: RunsOption = Path("runs"),
    allow_exposed: AllowExposedOption = False,
    yes_i_may: YesIMayOption = False,
) -> None:
    """Play an exercise with people: a fault that they find, name and repair.

    Prints a link for the game master, the responders and the audience. The record and the post-mortem are in a run.
    """
    from chaos.cli.gameday import chosen, serve_gameday
    from chaos.gameday.server.serving import Serving
    from reports.shared.documents import duration_s
    from reports.shared.errors import UserError
    from reports.shared.units import Mistake

    try:
        stay_s = None if stay is None else duration_s(stay)
    except Mistake as error:
        raise UserError(f"--stay: {error.what}\n    {error.remedy}") from None
    day = chosen(
        name,
        free=free,
        seed_drawn=drawn,
        family=family,
        stack=stack,
        gateway=gateway,
        target=target,
        profile=profile,
        seed=seed,
    )
    serving = Serving(listen=listen, port=port, certificate=certificate, key=key, public_url=public_url)
    raise typer.Exit(
        serve_gameday(
            day,
            serving=serving,
            runs=runs,
            stay_s=stay_s,
            allow_exposed=allow_exposed,
            may_leave_loopback=yes_i_may,
        )
    )
