"""`brownout run` with several stacks or seeds: the runs one after the other, then their comparison.

Runs are never played at the same time: two runs on one machine would distort each other's latencies. Ctrl-C ends the
current run, and no further run is started.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

from rich.text import Text

from chaos.cli.compare import print_comparison
from chaos.cli.output import Output
from chaos.cli.play import PlayedRun
from chaos.cli.preparation import without_options
from chaos.cli.retry_inconclusive import OPTION, play_series, print_runs, series_code
from chaos.experiment.model import Experiment
from chaos.runner.early_end import EXIT_CODE_PRECEDENCE
from chaos.runner.record_writer import new_folder

__all__ = ["Variant", "combinations", "most_severe_code", "own_command", "play_side_by_side"]


class Variant(NamedTuple):
    """The options of one run of a series, as given. None: the experiment's own."""

    stack: str | None
    gateway: str | None
    seed: int | None


def play_side_by_side(
    output: Output,
    plays: Sequence[tuple[Variant, Experiment]],
    *,
    retries: int,
    words: Sequence[str],
    spread: Path | None = None,
) -> tuple[int, list[PlayedRun]]:
    """Play each experiment and print its verdict; then print the comparison. Returns the most severe exit code, and
    every run.

    `plays`: each experiment with its options as given. `retries`: how often one that the machine left inconclusive
    is played again; its last run is compared. `words`: the command line, from which each record gets its own command.
    `spread`: a file of spreads. Raises UserError if a folder cannot be made.
    """
    console = output.console
    codes: list[int] = []
    folders: list[Path] = []
    every: list[PlayedRun] = []
    for number, (variant, experiment) in enumerate(plays, start=1):
        stack_text = f"stack {experiment.stack.name}, " if experiment.stack is not None else ""
        gateway_text = f"gateway {experiment.gateway}, " if experiment.gateway is not None else ""
        label = f"{stack_text}{gateway_text}seed {experiment.seed}"
        console.print(Text(f"{number} of {len(plays)}: {label}", style="bold"))
        command = own_command(words, variant, experiment.seed)
        played = play_series(output, experiment, retries=retries, command=command, label=label)
        every += played
        codes.append(series_code([run.exit_code for run in played]))
        if played[-1].last:
            rest = len(plays) - number
            if rest and played[-1].exit_code == 5:
                console.print(Text(f"not played: {rest} more, because the last run left a fault", style="bold red"))
            break
        if played[-1].report is not None:
            folders.append(played[-1].folder)
        console.print()
    if len(folders) > 1 and not any(run.last for run in every):
        name = f"{plays[0][1].name}-comparison"
        out = output.place(name) or new_folder(output.runs, name)
        print_comparison(folders, out, as_json=False, spread=spread, console=console)
    if len(every) > len(codes):  # some were played again
        print_runs(console, every)
    return most_severe_code(codes), every


def most_severe_code(codes: Sequence[int]) -> int:
    """The exit code of several runs together. By precedence: 130, 5, 1, 4, 3, 0."""
    return min(codes, key=(*EXIT_CODE_PRECEDENCE, 3, 0).index)


def own_command(words: Sequence[str], variant: Variant, seed: int) -> str:
    """The command that plays one of the runs alone: `words` with only its options, as given, and its seed."""
    kept = without_options(words, "--stack", "--gateway", "--seed", OPTION)
    stack = ["--stack", variant.stack] if variant.stack is not None else []
    gateway = ["--gateway", variant.gateway] if variant.gateway is not None else []
    return shlex.join([*kept, *stack, *gateway, "--seed", str(seed)])


def combinations(
    stacks: Sequence[str] | None, gateways: Sequence[str] | None, seeds: Sequence[int] | None
) -> list[Variant]:
    """Every stack with every gateway and every seed, in this order."""
    none: list[None] = [None]
    return [Variant(*one) for one in product(stacks or none, gateways or none, seeds or none)]
