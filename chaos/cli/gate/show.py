"""The result of a gate on the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from brownout.result import Comparison, ExperimentResult, GateResult, MeasureChange, Result
from chaos.cli.console import shell_path
from chaos.cli.verdict import MARK, VERDICT_STYLE
from reports.shared.wording import value_text
from reports.writers.gate.words import (
    accepted_text,
    change_text,
    detectable_text,
    interval_cell,
    measure_text,
    values_text,
)

__all__ = ["experiment_renderable", "result_renderable"]


def experiment_renderable(result: ExperimentResult) -> RenderableType:
    """One experiment over its runs: the gates, the comparison, and why it has its verdict."""
    parts: list[RenderableType] = [_headline(result)]
    if result.gates:
        parts.append(_gates(result.gates))
    if result.comparison is not None:
        parts.append(comparison_renderable(result.comparison))
    parts += [Text(f"  {reason}") for reason in result.why[:6] if result.verdict != "pass"]
    if result.stopped:
        parts.append(Text(result.stopped, style="dim"))
    return Group(*parts)


def _headline(result: ExperimentResult) -> Text:
    sound = sum(run.sound for run in result.runs)
    return Text.assemble(
        (f"{result.name}: {result.verdict.upper()}", VERDICT_STYLE.get(result.verdict, "bold red")),
        f"  over {len(result.runs)} runs, {sound} of which can decide",
    )


def _gates(gates: tuple[GateResult, ...]) -> Table:
    table = _table("", "gate", "over the runs", "interval", "values")
    for gate in gates:
        mark = Text(MARK[gate.verdict], style=VERDICT_STYLE[gate.verdict])
        values = ", ".join("-" if one is None else value_text(one, gate.unit) for one in gate.values)
        table.add_row(mark, gate.text, value_text(gate.value, gate.unit), interval_cell(gate), values)
    return table


def comparison_renderable(comparison: Comparison) -> RenderableType:
    """The head compared with the base: the judged measures, then the others."""
    title = Text.assemble(
        ("compared with ", "bold"), (comparison.base, "bold"), f": {comparison.pairs} pairs of runs that count"
    )
    if comparison.note:
        return Group(title, Text(comparison.note, style="yellow"))
    table = _table("", "measure", "head", "base", "change", "interval", "accepted", "would be found")
    for row in comparison.measures:
        table.add_row(*_change_cells(row))
    return Group(title, table)


def _change_cells(row: MeasureChange) -> Iterator[Text | str]:
    yield Text(MARK[row.verdict], style=VERDICT_STYLE[row.verdict]) if row.judged else Text("·", style="dim")
    yield measure_text(row)
    yield from values_text(row)
    yield from change_text(row)
    yield accepted_text(row)
    yield detectable_text(row)


def result_renderable(result: Result) -> RenderableType:
    """All experiments, a line each, then the files."""
    lines: list[RenderableType] = []
    if len(result.experiments) > 1:
        width = max(len(one.verdict) for one in result.experiments)
        for one in result.experiments:
            style = VERDICT_STYLE.get(one.verdict, "bold red")
            reason = f"  {one.why[0]}" if one.why and one.verdict != "pass" else ""
            lines.append(Text.assemble((one.verdict.upper().ljust(width), style), f"  {one.name}{reason}"))
    style = VERDICT_STYLE.get(result.verdict, "bold red")
    lines.append(Text.assemble((f"GATE {result.verdict.upper()}", style), f"  exit code {result.exit_code}"))
    lines.append(Text(f"summary: {shell_path(result.folder / 'summary.md')}", style="dim"))
    return Group(*lines)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
