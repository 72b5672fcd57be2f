"""The commands of chaos by hand, and their options: `up`, and what reaches a stack that is up from another terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from chaos.cli.options import AllowExposedOption, AtOption, GatewayOption, JsonOption, RunsOption, SeedOption

__all__ = ["commands"]

commands = typer.Typer()


@commands.command()
def up(
    stack: Annotated[
        str, typer.Option("--stack", help="A stack from `brownout list stacks`, or a file.")
    ] = "multi-cloud",
    gateway: GatewayOption = None,
    allow_exposed: AllowExposedOption = False,
    replicas_only: Annotated[
        bool, typer.Option("--replicas-only", help="Only the replicas: the upstreams of a gateway of yours.")
    ] = False,
    first_port: Annotated[
        int, typer.Option("--first-port", help="Port of the first replica, the others follow; 0: free ones.", max=65535)
    ] = 0,
    port: Annotated[int, typer.Option("--port", help="The gateway's port; 0 for a free one.", min=0, max=65535)] = 0,
    profile: Annotated[
        str, typer.Option("--profile", help="The sessions of `brownout load start`.")
    ] = "coding-agent-ci",
    seed: SeedOption = None,
    runs: RunsOption = Path("runs"),
) -> None:
    """Start a stack that stays up until Ctrl-C, for other tools and for chaos by hand.

    From another terminal: brownout inject, revert, restart, operate, status, load, abort, release.
    """
    from chaos.cli.up import serve_up

    code = serve_up(
        stack,
        gateway=gateway,
        allow_exposed=allow_exposed,
        replicas_only=replicas_only,
        first_port=first_port,
        port=port,
        profile=profile,
        seed=seed,
        runs=runs,
    )
    raise typer.Exit(code)


@commands.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def inject(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="A fault from `brownout list faults`.")],
    at: AtOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be hit; inject nothing.")] = False,
) -> None:
    """Inject a fault into a stack that is up: inject kill --pool tpu --for 15s.

    Every key of the fault in an experiment is an option: --pool, --replica, --cloud, --count, --share, --after-tokens.
    Without --for it stays until `brownout revert`.
    """
    from chaos.cli.by_hand import inject_fault

    raise typer.Exit(inject_fault(kind, context.args, at=at, dry_run=dry_run))


@commands.command()
def revert(
    fault: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(metavar="[FAULT]", help="As h1. Without it: all that were injected by hand."),
    ] = None,
    at: AtOption = None,
) -> None:
    """Revert a fault that was injected by hand, and wait until its targets are as before."""
    from chaos.cli.by_hand import command

    raise typer.Exit(command({"do": "revert", "fault": fault}, at=at))


@commands.command()
def restart(
    process: Annotated[str, typer.Argument(help="A replica, as tpu-0, or: gateway.")],
    at: AtOption = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Also if a fault is active there: the fault ends on this process.")
    ] = False,
) -> None:
    """Start a process of a stack again, and wait until it is ready."""
    from chaos.cli.by_hand import command

    raise typer.Exit(command({"do": "restart", "process": process, "even_if_faulty": repair}, at=at))


operate_app = typer.Typer(
    help="Act on a stack that is up as an on-call engineer does; each stays in force until `brownout operate undo`.",
    no_args_is_help=True,
)
commands.add_typer(operate_app, name="operate")

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")]


@operate_app.command()
def drain(
    pool: Annotated[str, typer.Argument(help="A pool of the stack.")],
    at: AtOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """The replicas of a pool get no new calls; those under way go on."""
    from chaos.cli.by_hand import operate

    raise typer.Exit(operate("drain", {"pool": pool}, at=at, dry_run=dry_run))


@operate_app.command()
def shed(
    tier: Annotated[str, typer.Argument(help="A tier of tenants, as batch.")],
    at: AtOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """The gateway refuses the calls of a tier (429 with Retry-After)."""
    from chaos.cli.by_hand import operate

    raise typer.Exit(operate("shed", {"tier": tier}, at=at, dry_run=dry_run))


@operate_app.command()
def switch(
    policy: Annotated[str, typer.Argument(help='As "retries: off" or "ejection: on".')],
    at: AtOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Switch a policy of the gateway while it runs; of one policy, the last switch counts."""
    from chaos.cli.by_hand import operate

    raise typer.Exit(operate("switch", {"policy": policy}, at=at, dry_run=dry_run))


@operate_app.command("add-pool")
def add_pool(
    pool: Annotated[str, typer.Argument(help="A reserve pool of the stack.")],
    at: AtOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Start a reserve pool; it gets calls when its replicas are ready, after their cold start."""
    from chaos.cli.by_hand import operate

    raise typer.Exit(operate("add_pool", {"pool": pool}, at=at, dry_run=dry_run))


@operate_app.command()
def undo(
    number: Annotated[str, typer.Argument(help="The number of an operation as in `brownout status`, or: all.")],
    at: AtOption = None,
) -> None:
    """End an operation in force."""
    from chaos.cli.by_hand import undo_operation

    raise typer.Exit(undo_operation(number, at=at))


@commands.command()
def status(at: AtOption = None, as_json: JsonOption = False) -> None:
    """Show the stacks that are up: processes, load, faults."""
    from chaos.cli.by_hand import print_status

    raise typer.Exit(print_status(at=at, as_json=as_json))


@commands.command()
def abort(at: AtOption = None) -> None:
    """Revert everything and stop the load, now. Nothing can be injected until `brownout release`."""
    from chaos.cli.by_hand import command

    raise typer.Exit(command({"do": "abort"}, at=at))


@commands.command()
def release(at: AtOption = None) -> None:
    """Allow injections again after `brownout abort`."""
    from chaos.cli.by_hand import command

    raise typer.Exit(command({"do": "release"}, at=at))


load_app = typer.Typer(help="Start and stop the load of a stack that is up.", no_args_is_help=True)
commands.add_typer(load_app, name="load")


@load_app.command("start")
def load_start(
    profile: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--profile", help="A profile from `brownout list profiles`, or a file; else that of `up`."),
    ] = None,
    seed: SeedOption = None,
    at: AtOption = None,
) -> None:
    """Start sessions on a stack that is up."""
    from chaos.cli.by_hand import start_load

    raise typer.Exit(start_load(profile, seed=seed, at=at))


@load_app.command("level")
def load_level(
    factor: Annotated[float, typer.Argument(metavar="FACTOR", help="Of the profile's sessions: 0.5 half, 2 twice.")],
    at: AtOption = None,
) -> None:
    """Play more or fewer sessions from now on, without a restart of the load."""
    from chaos.cli.by_hand import command

    raise typer.Exit(command({"do": "load_level", "level": factor}, at=at))


@load_app.command("stop")
def load_stop(at: AtOption = None) -> None:
    """End every session now."""
    from chaos.cli.by_hand import command

    raise typer.Exit(command({"do": "load_stop"}, at=at))


@commands.command(hidden=True, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def serve(context: typer.Context) -> None:
    """The former name of `up`."""
    from reports.shared.errors import UserError

    raise UserError("serve is called up now\n    brownout up [--stack NAME] [--port PORT]")
