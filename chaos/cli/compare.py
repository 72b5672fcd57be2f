"""`brownout compare`: finished runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from chaos.cli.console import open_console
from chaos.cli.twin_table import difference_table
from chaos.cli.verdict import MARK, VERDICT_STYLE, existing_run
from chaos.runner.analysis_child import AnalysisChild
from reports.comparison.cells import NO_DIFFERENCE, cell_text, pairs_text, shown_measures, told_in_contrast
from reports.comparison.side_by_side import compare, read_report
from reports.comparison.spread import read_spreads
from reports.report.build import plain
from reports.shared.errors import UserError
from reports.writers.comparison import write_comparison

__all__ = ["compare_runs", "comparison_renderable", "print_comparison"]


def compare_runs(folders: Sequence[Path], out: Path | None, *, as_json: bool, spread: Path | None = None) -> int:
    """Print the comparison of runs; with `out`, write it into this folder as well. Returns exit code 0.

    A run without a report is analysed first. `spread`: a file of spreads. Raises UserError for an invalid file, and for
    a folder without a record of a run.
    """
    read_spreads(spread)
    for folder in folders:
        if not (existing_run(folder) / "report.json").is_file():
            AnalysisChild(folder).finish()
    print_comparison(folders, out, as_json=as_json, spread=spread)
    return 0


def print_comparison(
    folders: Sequence[Path],
    out: Path | None,
    *,
    as_json: bool,
    spread: Path | None = None,
    console: Console | None = None,
) -> None:
    """Print the comparison of runs that have a report; with `out`, write it into this folder as well."""
    data = compare([read_report(folder) for folder in folders], read_spreads(spread))
    console = console or open_console()
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
    """The comparison for a terminal. Gates whose verdicts differ are bold, unless the runs are not comparable."""
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
    parts: list[RenderableType] = [Text(data["title"], style="bold"), *notes, Text(), gates, Text(), measures, Text()]
    for contrast in data["differences"]:
        parts += _contrast(contrast)
    return Group(*parts)


def _contrast(contrast: dict[str, Any]) -> list[RenderableType]:
    """One side against another: a heading, what keeps it from a word, and the differences."""
    here, there = contrast["here"], contrast["there"]
    parts: list[RenderableType] = [
        Text.assemble((f"{here} compared with {there}", "bold"), f": {pairs_text(contrast)}")
    ]
    parts += [Text(text, style="yellow") for text in (contrast["note"], contrast["doubt"]) if text]
    if rows := told_in_contrast(contrast):
        parts.append(difference_table(rows, here, there))
    elif not contrast["note"]:
        parts.append(Text(NO_DIFFERENCE))
    return [*parts, Text()]


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
