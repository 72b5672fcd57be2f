"""comparison.md: several runs side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.comparison.cells import NO_DIFFERENCE, cell_text, pairs_text, shown_measures, told_in_contrast
from reports.shared.wording import difference_text, value_text
from reports.writers.markdown.text import escaped

__all__ = ["comparison_markdown"]


def comparison_markdown(data: Mapping[str, Any]) -> str:
    """The page as Markdown. The verdicts of a gate are bold where they differ and the runs are comparable."""
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
    for contrast in data["differences"]:
        lines += ["", *_contrast(contrast)]
    lines.append("")
    lines += [f"- {escaped(run['label'])}: `{run['path']}`, seed {run['seed']}" for run in data["runs"]]
    return "\n".join(lines) + "\n"


def _contrast(contrast: Mapping[str, Any]) -> list[str]:
    """One side against another: a heading, what keeps it from a word, and the differences."""
    here, there = escaped(contrast["here"]), escaped(contrast["there"])
    lines = [f"## {here} compared with {there}", "", f"{pairs_text(contrast)}.", ""]
    lines += [f"- {escaped(text)}" for text in (contrast["note"], contrast["doubt"]) if text]
    rows = told_in_contrast(contrast)
    if not rows:
        return lines if contrast["note"] else [*lines, f"- {NO_DIFFERENCE}"]
    lines += [*([""] if lines[-1] else []), *_row("measure", "phase", here, there, "difference (95 %)")]
    lines.append("|---" * 5 + "|")
    for row in rows:
        values = [value_text(row[key], row["unit"]) for key in ("here", "there")]
        lines += _row(f"`{row['measure']}`", row["phase"] or "run", *values, difference_text(row))
    return lines


def _row(*cells: str) -> list[str]:
    return ["| " + " | ".join(cells) + " |"]


def _gate_cell(cell: Mapping[str, Any] | None, *, bold: bool) -> str:
    if cell is None:
        return "-"
    verdict = f"**{cell['verdict']}**" if bold else str(cell["verdict"])
    return f"{verdict} {escaped(cell_text(cell))}"
