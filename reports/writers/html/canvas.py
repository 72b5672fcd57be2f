"""What a chart of the page is: series over the seconds of the run, and how to draw them.

The script of the page (`charts.js`) draws it with Bokeh. Importing Bokeh here would add two seconds to every analysis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

__all__ = [
    "Band",
    "Chart",
    "ChartMaker",
    "Layer",
    "Line",
    "Placed",
    "Shade",
    "draw",
    "fault_spans",
    "series_of",
    "spec",
]

ROUNDED: Final = 6
"""Digits after the decimal point in the page's data."""

Series = list[float | None]


@dataclass(frozen=True, slots=True)
class Layer:
    """One drawn series. `kind`: `line`, `area` from `base` (a series, or 0) to `series`, `steps`, stacked `bars`."""

    kind: str
    series: str
    colour: str
    base: str = ""
    width: float = 1.8
    alpha: float = 1.0
    dash: str = "solid"


@dataclass(frozen=True, slots=True)
class Line:
    """A horizontal line across the chart, at the value `at`."""

    at: float
    colour: str


@dataclass(frozen=True, slots=True)
class Shade:
    """A shaded stretch of time, seconds."""

    left: float
    right: float
    colour: str


@dataclass(frozen=True, slots=True)
class Band:
    """A rectangle: `left` to `right` in seconds, `bottom` to `top` in rows. `what` and `why` are its tooltip."""

    left: float
    right: float
    bottom: float
    top: float
    colour: str
    what: str
    why: str = "-"
    label: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart. `legend`: (colour, meaning). `tooltip`: (name, series) shown for the second under the pointer.

    A chart of bands has `rows` (position -> name) instead of a numeric vertical axis.
    """

    height: int
    y_label: str
    series: Mapping[str, Series] = field(default_factory=dict)
    layers: Sequence[Layer] = ()
    tooltip: Sequence[tuple[str, str]] = ()
    legend: Sequence[tuple[str, str]] = ()
    note: str = ""
    log: bool = False
    y_range: tuple[float, float] | None = None
    ticks: Sequence[float] = ()
    lines: Sequence[Line] = ()
    shades: Sequence[Shade] = ()
    bands: Sequence[Band] = ()
    rows: Mapping[float, str] = field(default_factory=dict)


ChartMaker = Callable[[Mapping[str, Any]], Chart | None]
"""Makes a chart from a report's data; None where the run has no data for it."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A chart with its id and title on the page. `chart`: None without data, or where a `problem` prevented it."""

    id: str
    title: str
    chart: Chart | None
    problem: str


def draw(data: Mapping[str, Any], charts: Sequence[tuple[str, str, ChartMaker]]) -> list[Placed]:
    """Make all charts. One that crashes is replaced by its error; the others are not affected."""
    placed = []
    for name, title, make in charts:
        try:
            placed.append(Placed(name, title, make(data), ""))
        except Exception as error:
            placed.append(Placed(name, title, None, f"This chart could not be made: {error!r}"))
    return placed


def spec(data: Mapping[str, Any], placed: Iterable[Placed]) -> dict[str, Any]:
    """The data for the script of the page, ready for JSON."""
    return {
        "seconds": data["timeline"]["seconds"],
        "faults": fault_spans(data),
        "phases": [phase["start_s"] for phase in data["phases"] if phase["start_s"] > 0],
        "charts": [
            asdict(one.chart) | {"id": one.id, "rows": [[at, name] for at, name in one.chart.rows.items()]}
            for one in placed
            if one.chart is not None
        ],
    }


def fault_spans(data: Mapping[str, Any]) -> list[tuple[float, float]]:
    """[injected, reverted] of each injected fault, seconds; the end of the run where it was not reverted."""
    last = float(data["timeline"]["seconds"])
    return [
        (float(fault["stages"]["injected"]), float(fault["stages"].get("reverted", last)))
        for fault in data["faults"]
        if "injected" in fault["stages"]
    ]


def series_of(values: Iterable[Any], scale: float = 1.0) -> Series:
    """A series for the page, times `scale`. None, infinite numbers and words become None, a gap."""
    found: Series = []
    for value in values:
        number = None if value is None or isinstance(value, str) else float(value) * scale
        found.append(round(number, ROUNDED) if number is not None and math.isfinite(number) else None)
    return found
