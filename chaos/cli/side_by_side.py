"""Several runs side by side: `brownout compare` of those there are, and `brownout run` of one experiment several times.

Stacks and seeds are played one after the other, never at once: two runs on one machine would spoil each other's
latencies. Ctrl-C ends the one under way and plays none after it.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from chaos.cli.run import conclude, record
from chaos.cli.verdict import MARK, VERDICT_STYLE, existing_run
from chaos.experiment.model import Experiment
from chaos.runner.analysis_child import AnalysisChild
from chaos.runner.early_end import URGENCY
from chaos.runner.record_writer import new_folder
from reports.comparison.cells import cell_text, shown_measures
from reports.comparison.side_by_side import compare, read_report
from reports.report.build import plain
from reports.shared.errors import UserError
from reports.writers.comparison import write_comparison

__all__ = ["combinations", "compare_runs", "comparison_renderable", "gravest_code", "own_command", "run_side_by_side"]

INTERRUPTED = 130


def compare_runs(folders: Sequence[Path], out: Path | None, *, as_json: bool) -> int:
    """`brownout compare`. Writes the three forms into `out`, where that is given. Answers 0.

    Raises UserError for what is no record of a run; a record without a report gets one first.
    """
    for folder in folders:
        if not (existing_run(folder) / "report.json").is_file():
            AnalysisChild(folder).finish()
    data = compare([read_report(folder) for folder in folders])
    _tell(data, out, as_json=as_json)
    return 0


def run_side_by_side(
    plays: Sequence[tuple[str | None, Experiment]], *, runs: Path, quiet: bool, words: Sequence[str]
) -> int:
    """Play each, print the verdict of each and then all side by side. Answers the gravest of their exit codes.

    `plays`: each with its `--stack` as it was given. `words`: the command line, from which each record gets a command
    of its own. Raises UserError where a folder cannot be made.
    """
    console = Console()
    codes: list[int] = []
    folders: list[Path] = []
    for number, (stack, experiment) in enumerate(plays, start=1):
        on = f"stack {experiment.stack.name}, " if experiment.stack is not None else ""
        console.print(Text(f"{number} of {len(plays)}: {on}seed {experiment.seed}", style="bold"))
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
        _tell(compare([read_report(folder) for folder in folders]), out, as_json=False)
    return gravest_code(codes)


def gravest_code(codes: Sequence[int]) -> int:
    """Of several runs' exit codes the one that goes first: 130, 5, 1, 4, 3, 0."""
    order = (*URGENCY, 3, 0)
    return min(codes, key=order.index)


def own_command(words: Sequence[str], stack: str | None, seed: int) -> str:
    """The command that plays one of them alone: `words` with that stack, as it was given, and that seed."""
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


def _tell(data: dict[str, Any], out: Path | None, *, as_json: bool) -> None:
    console = Console(highlight=False)
    written: list[Path] = []
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
            written = write_comparison(data, out)
        except OSError as error:
            raise UserError(f"cannot write the comparison: {error.filename}: {error.strerror}") from error
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(plain(data)), indent=1).decode())
        return
    console.print(comparison_renderable(data))
    for path in written:
        if path.suffix == ".html":
            console.print(Text(f"comparison: {path}", style="dim"))


def comparison_renderable(data: dict[str, Any]) -> RenderableType:
    """The comparison for a terminal. What differs is bold."""
    labels = [run["label"] for run in data["runs"]]
    gates = _table("gate", labels)
    verdicts = [
        Text(run["verdict"].upper(), style=VERDICT_STYLE.get(run["verdict"], "bold red")) for run in data["runs"]
    ]
    gates.add_row(Text("verdict", style="bold"), *verdicts)
    for gate in data["gates"]:
        style = "bold" if gate["differs"] else "dim"
        text = Text(gate["text"], style=style).append("  headline" if gate["headline"] else "", style="italic dim")
        gates.add_row(text, *(_cell(cell) for cell in gate["cells"]))
    measures = _table("measure", labels)
    for name, _, values in shown_measures(data):
        measures.add_row(Text(name, style="" if len(set(values)) > 1 else "dim"), *values)
    notes = [Text(f"note: {note}", style="yellow") for note in data["notes"]]
    return Group(Text(data["title"], style="bold"), *notes, Text(), gates, Text(), measures, Text())


def _table(first: str, labels: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(first, overflow="fold", ratio=2)
    for label in labels:
        table.add_column(label, overflow="fold", ratio=1)
    return table


def _cell(cell: dict[str, Any] | None) -> Text:
    if cell is None:
        return Text("-", style="dim")
    verdict = cell["verdict"]
    return Text.assemble((MARK[verdict], VERDICT_STYLE[verdict]), " ", cell_text(cell))


def combinations(stacks: Sequence[str] | None, seeds: Sequence[int] | None) -> list[tuple[str | None, int | None]]:
    """Every stack with every seed, seeds within stacks; None where nothing was given: the experiment's own."""
    none: list[None] = [None]
    return list(product(stacks or none, seeds or none))
