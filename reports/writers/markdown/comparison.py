"""comparison.json, comparison.md and comparison.html: several runs side by side. The data is `reports.comparison.side_by_side`'s."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.comparison.side_by_side import SHOWN
from reports.report.build import plain
from reports.shared.wording import interval_text, value_text
from reports.writers.html.palette import colours

__all__ = ["cell_text", "comparison_html", "comparison_markdown", "shown_measures", "write_comparison"]

_PAGE: Final = Path(__file__).parents[1] / "page"
_WIDTH, _HEIGHT, _SMOOTH_S = 1000.0, 220.0, 3


def write_comparison(data: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write all three into `folder`. Raises OSError."""
    texts = {
        "comparison.json": msgspec.json.format(msgspec.json.encode(plain(data)), indent=1).decode() + "\n",
        "comparison.md": comparison_markdown(data),
        "comparison.html": comparison_html(data, folder),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def cell_text(cell: Mapping[str, Any] | None) -> str:
    """What a gate measured in one run, `3.2 s` or, of a multiple of the baseline, `2.1x baseline`."""
    if cell is None:
        return "-"
    if cell["relative_to_baseline"] and cell["factor"] is not None:
        return f"{value_text(cell['factor'], 'x')} baseline"
    return value_text(cell["value"], cell["unit"])


def shown_measures(data: Mapping[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    """The measures that people read: name, title and the value of each run in words."""
    rows = {row["name"]: row for row in data["measures"]}
    for name in SHOWN:
        row = rows.get(name)
        if row is not None and any(value is not None for value in row["run"]):
            yield name, row["title"], [_number(value, row["unit"]) for value in row["run"]]


def _number(value: Any, unit: str) -> str:
    return "-" if value is None else value_text(value, unit)


# -- Markdown -------------------------------------------------------------------------------------------------------
def comparison_markdown(data: Mapping[str, Any]) -> str:
    """The page as Markdown. The verdict of a gate on which the runs differ is bold."""
    labels = [_escaped(run["label"]) for run in data["runs"]]
    lines = [f"# {_escaped(data['title'])}", "", *(f"- {_escaped(note)}" for note in data["notes"])]
    lines += [*([""] if data["notes"] else []), *_row("", *labels), "|---" * (len(labels) + 1) + "|"]
    lines += _row("**verdict**", *(f"**{run['verdict']}**" for run in data["runs"]))
    for gate in data["gates"]:
        cells = [_gate_cell(cell, bold=gate["differs"]) for cell in gate["cells"]]
        lines += _row(_escaped(gate["text"]) + (" (tells)" if gate["tells"] else ""), *cells)
    lines += ["", *_row("measure", "", *labels), "|---" * (len(labels) + 2) + "|"]
    for name, title, values in shown_measures(data):
        lines += _row(f"`{name}`", _escaped(title), *values)
    lines.append("")
    lines += [f"- {_escaped(run['label'])}: `{run['path']}`, seed {run['seed']}" for run in data["runs"]]
    return "\n".join(lines) + "\n"


def _row(*cells: str) -> list[str]:
    return ["| " + " | ".join(cells) + " |"]


def _gate_cell(cell: Mapping[str, Any] | None, *, bold: bool) -> str:
    if cell is None:
        return "-"
    verdict = f"**{cell['verdict']}**" if bold else str(cell["verdict"])
    return f"{verdict} {_escaped(cell_text(cell))}"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


# -- HTML -----------------------------------------------------------------------------------------------------------
def comparison_html(data: Mapping[str, Any], folder: Path) -> str:
    """The page; it links to the runs' own, as seen from `folder`."""
    environment = Environment(
        loader=FileSystemLoader(_PAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    shades = colours(len(data["runs"]))
    runs = [
        {**run, "colour": colour, "href": os.path.relpath(Path(run["path"]) / "report.html", folder)}
        for run, colour in zip(data["runs"], shades, strict=True)
    ]
    gates = [
        {
            **gate,
            "cells": [
                None if cell is None else {**cell, "said": cell_text(cell), "sure": interval_text(cell)}
                for cell in gate["cells"]
            ],
        }
        for gate in data["gates"]
    ]
    return environment.get_template("comparison.html.jinja").render(
        title=data["title"],
        notes=data["notes"],
        runs=runs,
        gates=gates,
        measures=list(shown_measures(data)),
        chart=_chart(data["timelines"], shades),
        style=Markup((_PAGE / "report.css").read_text(encoding="utf-8")),
    )


def _chart(timelines: Sequence[Mapping[str, Any]], shades: Sequence[str]) -> dict[str, Any] | None:
    """The share of good calls, second by second, over one axis, as lines of an SVG; None without any second."""
    seconds = max((len(timeline["offered"]) for timeline in timelines), default=0)
    if seconds < 2:
        return None
    x = _WIDTH / seconds
    lines = []
    for timeline, shade in zip(timelines, shades, strict=True):
        points = [
            f"{(second + 0.5) * x:.1f},{(1 - share) * _HEIGHT:.1f}"
            for second, share in enumerate(_shares(timeline))
            if share is not None
        ]
        lines.append({"colour": shade, "points": " ".join(points)})
    faults = [
        {"x": max(0.0, start) * x, "width": max(1.0, (end - start) * x)}
        for timeline in timelines[:1]
        for start, end in timeline["faults"]
    ]
    ticks = [{"x": second * x, "text": f"{second} s"} for second in range(0, seconds, 10)]
    return {"width": _WIDTH, "height": _HEIGHT, "lines": lines, "faults": faults, "ticks": ticks}


def _shares(timeline: Mapping[str, Any]) -> list[float | None]:
    """Good / offered over `_SMOOTH_S` seconds around each; None where nothing was offered."""
    offered, good, reach = timeline["offered"], timeline["good"], _SMOOTH_S // 2
    shares: list[float | None] = []
    for second in range(len(offered)):
        around = slice(max(0, second - reach), second + reach + 1)
        asked = sum(offered[around])
        shares.append(sum(good[around]) / asked if asked else None)
    return shares
