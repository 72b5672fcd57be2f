"""The differences between a run and its twin for the terminal: those beyond chance, where that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from reports.comparison.cells import NO_DIFFERENCE, told_in_twin
from reports.shared.wording import difference_text, value_text

__all__ = ["difference_table", "twin_renderable"]


def twin_renderable(twin: Mapping[str, Any]) -> RenderableType:
    """The `twin` of a report, for a terminal."""
    if twin["problem"]:
        return Text(twin["problem"], style="yellow")
    rows = told_in_twin(twin)
    sessions = twin["sessions"]
    both = f" (without the faults): {sessions['both']} sessions in both"
    head = [Text.assemble(("compared with its twin", "bold"), both)]
    if twin["note"]:
        head.append(Text(twin["note"], style="yellow"))
    head += [Text(f"latencies are not compared: {doubt}", style="yellow") for doubt in twin["doubts"]]
    if not rows:
        return Group(Text(), *head, Text(NO_DIFFERENCE if not twin["note"] else "no difference to show"), Text())
    return Group(Text(), *head, difference_table(rows, "run", "twin"), Text())


def difference_table(rows: Sequence[Mapping[str, Any]], here: str, there: str) -> Table:
    """Rows of a report's `differences` between two columns `here` and `there`."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("measure", "phase", here, there, "difference (95 %)"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        values = [value_text(row[key], row["unit"]) for key in ("here", "there")]
        table.add_row(row["measure"], row["phase"] or "run", *values, difference_text(row))
    return table
