"""comparison.html: several runs side by side, with the share of good calls of each run over one axis."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.comparison.cells import (
    NO_DIFFERENCE,
    cell_text,
    difference_cells,
    pairs_text,
    shown_measures,
    told_in_contrast,
)
from reports.shared.wording import interval_text
from reports.writers.html.palette import colours

__all__ = ["comparison_html"]

_PAGE: Final = Path(__file__).parents[1] / "page"
_WIDTH, _HEIGHT, _SMOOTH_S = 1000.0, 220.0, 3


def comparison_html(data: Mapping[str, Any], folder: Path) -> str:
    """The page. Its links to the runs' report.html are relative to `folder`."""
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
                None if cell is None else {**cell, "value_text": cell_text(cell), "interval_text": interval_text(cell)}
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
        contrasts=[_contrast(contrast) for contrast in data["differences"]],
        chart=_chart(data["timelines"], shades),
        style=Markup((_PAGE / "report.css").read_text(encoding="utf-8")),
    )


def _contrast(contrast: Mapping[str, Any]) -> dict[str, Any]:
    """One side against another, with the differences that are shown as text."""
    rows = [difference_cells(row) for row in told_in_contrast(contrast)]
    notes = [text for text in (contrast["note"], contrast["doubt"]) if text]
    if not rows and not contrast["note"]:
        notes.append(NO_DIFFERENCE)
    return {
        "here": contrast["here"],
        "there": contrast["there"],
        "pairs": pairs_text(contrast),
        "notes": notes,
        "rows": rows,
    }


def _chart(timelines: Sequence[Mapping[str, Any]], shades: Sequence[str]) -> dict[str, Any] | None:
    """The share of good calls per second as lines of an SVG; None for fewer than two seconds."""
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
    """Good / offered over the `_SMOOTH_S` seconds around each second; None where no call was offered."""
    offered, good, reach = timeline["offered"], timeline["good"], _SMOOTH_S // 2
    shares: list[float | None] = []
    for second in range(len(offered)):
        around = slice(max(0, second - reach), second + reach + 1)
        calls = sum(offered[around])
        shares.append(sum(good[around]) / calls if calls else None)
    return shares
