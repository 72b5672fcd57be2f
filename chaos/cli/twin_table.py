"""The differences between a run and its twin that are more than chance, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from reports.shared.wording import difference_text, value_text

__all__ = ["twin_renderable"]


def twin_renderable(twin: Mapping[str, Any]) -> RenderableType:
    """The `twin` of a report, for a terminal."""
    if twin["problem"]:
        return Text(twin["problem"], style="yellow")
    rows = [row for row in twin["differences"] if row["differs"]]
    sessions = twin["sessions"]
    both = f" (without the faults): {sessions['both']} sessions in both"
    head = Text.assemble(("compared with its twin", "bold"), both)
    doubts = [Text(f"latencies are not compared: {doubt}", style="yellow") for doubt in twin["doubts"]]
    if not rows:
        return Group(Text(), head, *doubts, Text("no measure differs by more than chance"), Text())
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("measure", "phase", "run", "twin", "difference (95 %)"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        values = [value_text(row[key], row["unit"]) for key in ("here", "there")]
        table.add_row(row["measure"], row["phase"] or "run", *values, difference_text(row))
    return Group(Text(), head, *doubts, table, Text())
