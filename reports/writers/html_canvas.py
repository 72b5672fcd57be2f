"""What all charts of the page share: one axis of seconds, the faults shaded, the phases' bounds dotted.

A chart is a function from a `Canvas` to what it drew; None where the run has nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from bokeh.models import BoxAnnotation, BoxZoomTool, ColumnDataSource, HoverTool, PrintfTickFormatter, Range1d, Span
from bokeh.plotting import figure

from reports.writers.html_palette import FAULT

__all__ = ["Canvas", "Chart", "Drawn", "Figure", "draw", "fault_spans"]

Figure = Any
"""A Bokeh figure; Bokeh has no types."""

_TEXT: Final = "#848c99"
"""Readable on white and on black: the canvas is transparent, the page may be either."""

_LEFT: Final = 92


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure and what its colours mean: (colour, name)."""

    figure: Figure
    legend: tuple[tuple[str, str], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Canvas:
    """What all charts of a page share."""

    data: Mapping[str, Any]
    x_range: Range1d

    @property
    def timeline(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.data["timeline"]
        return found

    @property
    def middles(self) -> np.ndarray[Any, Any]:
        """The middle of each second."""
        return np.arange(int(self.timeline["seconds"])) + 0.5

    def source(self, **columns: Any) -> ColumnDataSource:
        """Series over the seconds of the run."""
        size = int(self.timeline["seconds"])
        return ColumnDataSource({"x": self.middles, "second": np.arange(size), **columns})

    def column(self, values: Iterable[Any]) -> np.ndarray[Any, Any]:
        """A series as numbers; what has no value is NaN, a gap in the line."""
        return np.array([np.nan if value is None else float(value) for value in values], dtype=np.float64)

    def blank(self, height: int, *, y_label: str, log: bool = False, y_range: Any = None) -> Figure:
        """An empty figure with the phases and faults in it."""
        more: dict[str, Any] = {"y_range": y_range} if y_range is not None else {}
        fig = figure(
            height=height,
            sizing_mode="stretch_width",
            x_range=self.x_range,
            y_axis_type="log" if log else "linear",
            tools=[BoxZoomTool(dimensions="width")],
            toolbar_location=None,
            min_border_left=_LEFT,
            min_border_right=14,
            min_border_top=6,
            min_border_bottom=22,
            background_fill_alpha=0.0,
            border_fill_alpha=0.0,
            outline_line_color=None,
            **more,
        )
        fig.yaxis.axis_label = y_label
        if log:
            fig.yaxis.formatter = PrintfTickFormatter(format="%g")
        for axis in (*fig.xaxis, *fig.yaxis):
            axis.update(
                axis_label_text_color=_TEXT,
                axis_label_text_font_style="normal",
                axis_label_text_font_size="11px",
                major_label_text_color=_TEXT,
                major_label_text_font_size="11px",
                axis_line_color=_TEXT,
                axis_line_alpha=0.5,
                major_tick_line_color=_TEXT,
                major_tick_line_alpha=0.5,
                minor_tick_line_color=None,
            )
        fig.xgrid.grid_line_color = None
        fig.ygrid.grid_line_color = _TEXT
        fig.ygrid.grid_line_alpha = 0.18
        if y_range is None and not log:
            fig.y_range.start = 0
        self._shade(fig)
        return fig

    def _shade(self, fig: Figure) -> None:
        for start, end in fault_spans(self.data):
            fig.add_layout(
                BoxAnnotation(
                    left=start, right=end, fill_color=FAULT, fill_alpha=0.10, line_color=None, level="underlay"
                )
            )
        for phase in self.data["phases"]:
            if phase["start_s"] > 0:
                fig.add_layout(
                    Span(
                        location=phase["start_s"],
                        dimension="height",
                        line_color=_TEXT,
                        line_alpha=0.45,
                        line_dash="dotted",
                        level="underlay",
                    )
                )

    def hover(self, fig: Figure, renderer: Any, rows: Sequence[tuple[str, str]]) -> None:
        """Show `rows` (name, column of the source) of the second under the pointer."""
        told = [("second", "@second"), *((name, f"@{{{column}}}{{0.[000]}}") for name, column in rows)]
        fig.add_tools(HoverTool(renderers=[renderer], mode="vline", tooltips=told, point_policy="follow_mouse"))


def fault_spans(data: Mapping[str, Any]) -> list[tuple[float, float]]:
    """From the injection to the revert of each fault; to the end where it was not reverted."""
    last = float(data["timeline"]["seconds"])
    spans = []
    for fault in data["faults"]:
        stages = fault["stages"]
        if "injected" in stages:
            spans.append((float(stages["injected"]), float(stages.get("reverted", last))))
    return spans


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart for the page. `drawn` is None where the run has nothing of it, or with a `problem` in words."""

    id: str
    title: str
    drawn: Drawn | None
    problem: str


def draw(data: Mapping[str, Any], charts: Sequence[tuple[str, str, Callable[[Canvas], Drawn | None]]]) -> list[Chart]:
    """Draw them all on one axis."""
    seconds = float(data["timeline"]["seconds"])
    canvas = Canvas(data, Range1d(0, seconds, bounds=(0, seconds), name="seconds"))
    found = []
    for name, title, chart in charts:
        try:
            drawn = chart(canvas)
            found.append(Chart(name, title, drawn, ""))
        except Exception as error:  # one broken chart must not cost the page
            found.append(Chart(name, title, None, f"This chart could not be drawn: {error!r}"))
    return found
