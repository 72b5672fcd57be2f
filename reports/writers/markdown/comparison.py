"""comparison.md: several runs side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.comparison.cells import cell_text, shown_measures
from reports.writers.markdown.text import escaped

__all__ = ["comparison_markdown"]


def comparison_markdown(data: Mapping[str, Any]) -> str:
    """The page as Markdown. The verdicts of a gate are bold where the runs differ on it."""
    labels = [escaped(run["label"]) for run in data["runs"]]
    lines = [f"# {escaped(data['title'])}", "", *(f"- {escaped(note)}" for note in data["notes"])]
    lines += [*([""] if data["notes"] else []), *_row("", *labels), "|---" * (len(labels) + 1) + "|"]
    lines += _row("**verdict**", *(f"**{run['verdict']}**" for run in data["runs"]))
    for gate in data["gates"]:
        cells = [_gate_cell(cell, bold=gate["differs"]) for cell in gate["cells"]]
        lines += _row(escaped(gate["text"]) + (" (headline gate)" if gate["headline"] else ""), *cells)
    lines += ["", *_row("measure", "", *labels), "|---" * (len(labels) + 2) + "|"]
    for name, title, values in shown_measures(data):
        lines += _row(f"`{name}`", escaped(title), *values)
    lines.append("")
    lines += [f"- {escaped(run['label'])}: `{run['path']}`, seed {run['seed']}" for run in data["runs"]]
    return "\n".join(lines) + "\n"


def _row(*cells: str) -> list[str]:
    return ["| " + " | ".join(cells) + " |"]


def _gate_cell(cell: Mapping[str, Any] | None, *, bold: bool) -> str:
    if cell is None:
        return "-"
    verdict = f"**{cell['verdict']}**" if bold else str(cell["verdict"])
    return f"{verdict} {escaped(cell_text(cell))}"
