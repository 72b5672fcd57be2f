"""`brownout run` with several stacks or seeds: the runs one after the other, then their comparison.

Runs are never played at the same time: two runs on one machine would distort each other's latencies. Ctrl-C ends the
current run, and no further run is started.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from rich.text import Text

from chaos.cli.compare import print_comparison
from chaos.cli.console import open_console
from chaos.cli.play import conclude, record
from chaos.experiment.model import Experiment
from chaos.runner.early_end import EXIT_CODE_PRECEDENCE
from chaos.runner.record_writer import new_folder

__all__ = ["combinations", "most_severe_code", "own_command", "play_side_by_side"]

INTERRUPTED = 130


def play_side_by_side(
    plays: Sequence[tuple[str | None, Experiment]],
    *,
    runs: Path,
    quiet: bool,
    words: Sequence[str],
    spread: Path | None = None,
) -> int:
    """Play each experiment and print its verdict; then print the comparison. Returns the most severe exit code.

    `plays`: each experiment with its `--stack` as given. `words`: the command line, from which each record gets its
    own command. `spread`: a file of spreads. Raises UserError if a folder cannot be made.
    """
    console = open_console()
    codes: list[int] = []
    folders: list[Path] = []
    for number, (stack, experiment) in enumerate(plays, start=1):
        stack_text = f"stack {experiment.stack.name}, " if experiment.stack is not None else ""
        console.print(Text(f"{number} of {len(plays)}: {stack_text}seed {experiment.seed}", style="bold"))
        command = own_command(words, stack, experiment.seed)
        played = record(console, experiment, runs=runs, quiet=quiet, command=command)
        codes.append(conclude(console, played))
        if codes[-1] == INTERRUPTED:
            return INTERRUPTED
        if (played.folder / "report.json").is_file():
            folders.append(played.folder)
        console.print()
    if len(folders) > 1:
        out = new_folder(runs, f"{plays[0][1].name}-comparison")
        print_comparison(folders, out, as_json=False, spread=spread)
    return most_severe_code(codes)


def most_severe_code(codes: Sequence[int]) -> int:
    """The exit code of several runs together. By precedence: 130, 5, 1, 4, 3, 0."""
    return min(codes, key=(*EXIT_CODE_PRECEDENCE, 3, 0).index)


def own_command(words: Sequence[str], stack: str | None, seed: int) -> str:
    """The command that plays one of the runs alone: `words` with only its stack, as given, and its seed."""
    kept: list[str] = []
    skip = False
    for word in words:
        if skip or word.startswith(("--stack=", "--seed=")):
            skip = False
        elif word in ("--stack", "--seed"):
            skip = True
        else:
            kept.append(word)
    return shlex.join([*kept, *(["--stack", stack] if stack is not None else []), "--seed", str(seed)])


def combinations(stacks: Sequence[str] | None, seeds: Sequence[int] | None) -> list[tuple[str | None, int | None]]:
    """Every stack with every seed, stack by stack. None stands for the experiment's own, if none was given."""
    none: list[None] = [None]
    return list(product(stacks or none, seeds or none))
