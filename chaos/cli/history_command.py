"""The command `brownout history` and its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from chaos.cli.options import JsonOption

__all__ = ["history_commands"]

history_commands = typer.Typer()


@history_commands.command("history")
def history_command(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders with runs, such as runs.")],
    measure: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer reads it at run time
        typer.Option("--measure", metavar="NAME", help="A measure, instead of the usual ones; repeat it for several."),
    ] = None,
    last: Annotated[
        int, typer.Option("--last", metavar="N", min=1, help="List the newest N runs of each series.")
    ] = 20,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", metavar="FOLDER", help="Write history.html, .md and .json into this folder."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show runs over time, and where a measure changed its level.

    Finds every report.json below the folders. Exit code 0, whatever changed.
    """
    from chaos.cli.history import print_history

    raise typer.Exit(print_history(folders, measures=measure or [], last=last, out=out, as_json=as_json))
