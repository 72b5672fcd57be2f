"""Where a command that plays runs shows them and keeps their records."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from chaos.cli.console import open_console

__all__ = ["Output"]


@dataclass
class Output:
    """`runs`: the folder of all runs. `out`: a folder that the user named for those of this command; None: none.

    `single`: the command plays one run, whose record is `out` itself; else each is a folder below it: `NAME-1`,
    `NAME-2`, with `suffix` after the name. `quiet`: without progress.
    """

    runs: Path
    quiet: bool = False
    out: Path | None = None
    single: bool = False
    suffix: str = ""
    console: Console = field(default_factory=open_console)

    def place(self, name: str) -> Path | None:
        """The folder of the next run of the experiment `name`; None: a new one below `runs`."""
        if self.out is None or self.single:
            return self.out
        number = 1
        while (path := self.out / f"{name}{self.suffix}-{number}").exists():
            number += 1
        return path
