"""What a chart of the page is: series over the seconds of the run, and how to draw them.

The page's script draws it with Bokeh. Making Bokeh's models here would cost every analysis two seconds.
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
"""Digits of a number in the page."""

Series = list[float | None]


@dataclass(frozen=True, slots=True)
class Layer:
    """One series drawn: a `line`, an `area` from `base` (a series, or 0) to `series`, `steps`, or stacked `bars`."""

    kind: str
    series: str
    colour: str
    base: str = ""
    width: float = 1.8
    alpha: float = 1.0
    dash: str = "solid"


@dataclass(frozen=True, slots=True)
class Line:
    """A level line across the chart."""

    at: float
    colour: str


@dataclass(frozen=True, slots=True)
class Shade:
    """A time shaded from top to bottom."""

    left: float
    right: float
    colour: str


@dataclass(frozen=True, slots=True)
class Band:
    """A rectangle: from `left` to `right` seconds, `bottom` to `top` rows. `label` is written into it."""

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
    """A chart. `legend` says what its colours mean, `told` which series the pointer shows under which name.

    A chart of bands has `rows` (place -> name) instead of a vertical axis of numbers.
    """

    height: int
    y_label: str
    series: Mapping[str, Series] = field(default_factory=dict)
    layers: Sequence[Layer] = ()
    told: Sequence[tuple[str, str]] = ()
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
"""From a report's data to a chart; None where the run has nothing of it."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A chart with its place on the page. `chart` is None where the run has nothing of it, or for a `problem`."""

    id: str
    title: str
    chart: Chart | None
    problem: str


def draw(data: Mapping[str, Any], charts: Sequence[tuple[str, str, ChartMaker]]) -> list[Placed]:
    """Make them all; one that crashes becomes a sentence and costs only itself."""
    placed = []
    for name, title, make in charts:
        try:
            placed.append(Placed(name, title, make(data), ""))
        except Exception as error:
            placed.append(Placed(name, title, None, f"This chart could not be made: {error!r}"))
    return placed


def spec(data: Mapping[str, Any], placed: Iterable[Placed]) -> dict[str, Any]:
    """What the page's script needs, ready for JSON."""
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
    """From the injection to the revert of each fault; to the end where it was not reverted."""
    last = float(data["timeline"]["seconds"])
    return [
        (float(fault["stages"]["injected"]), float(fault["stages"].get("reverted", last)))
        for fault in data["faults"]
        if "injected" in fault["stages"]
    ]


def series_of(values: Iterable[Any], scale: float = 1.0) -> Series:
    """A series as the page takes it: None is a gap, and so is what is no finite number."""
    found: Series = []
    for value in values:
        number = None if value is None or isinstance(value, str) else float(value) * scale
        found.append(round(number, ROUNDED) if number is not None and math.isfinite(number) else None)
    return found
