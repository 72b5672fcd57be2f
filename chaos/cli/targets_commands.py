"""The commands `brownout targets` and their options: real gateways, with an adapter each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chaos.cli.options import JsonOption

__all__ = ["targets_app"]

targets_app = typer.Typer(help="Real gateways: list, install, show their files.")


@targets_app.callback(invoke_without_command=True)
def targets_command(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the real gateways that can stand in front of the simulated replicas.

    With their presets, and which of them are installed.
    """
    from chaos.cli.targets import print_targets

    if context.invoked_subcommand is None:
        print_targets(as_json=as_json)


@targets_app.command("install")
def targets_install(name: Annotated[str, typer.Argument(help="A gateway from `brownout targets`.")]) -> None:
    """Install a gateway into a folder of its own, below ~/.cache.

    Nothing is installed elsewhere. The tools keep what they always keep: pip its downloads, and apt its lists of
    packages, which are fetched where they lack the gateway. The cache folder is that of XDG_CACHE_HOME, if it is set.
    """
    from chaos.cli.targets import install_target

    raise typer.Exit(install_target(name))


@targets_app.command("config")
def targets_config(
    choice: Annotated[
        str, typer.Argument(metavar="NAME[:PRESET]", help="A gateway from `brownout targets`; preset: default.")
    ],
    stack: Annotated[
        str, typer.Option("--stack", help="A stack from `brownout list stacks`, or a file.")
    ] = "multi-cloud",
    first_port: Annotated[
        int, typer.Option("--first-port", help="The port of the first replica; the others follow.", min=1, max=65535)
    ] = 18101,
    port: Annotated[
        int, typer.Option("--port", help="The gateway's port; its statistics have the next one.", min=1, max=65534)
    ] = 4000,
    folder: Annotated[Path, typer.Option("--folder", help="The folder that the files will be in.")] = Path("gateway"),
) -> None:
    """Print the files and the command of a gateway; start nothing."""
    from chaos.cli.targets import print_config

    print_config(choice, stack=stack, first_port=first_port, port=port, folder=folder)
