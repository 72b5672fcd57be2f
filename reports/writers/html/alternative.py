"""A chart in words, for screen readers and pages without scripts: range of each series, and during the fault. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from reports.writers.html.canvas import Band, Chart

__all__ = ["chart_text"]

_SERIES: Final = 12
"""How many series are described."""
_BANDS: Final = 16
"""How many bands are described."""


def chart_text(title: str, chart: Chart, faults: Sequence[tuple[float, float]]) -> str:
    """What the chart shows, with the lowest and highest value of each series, and those during the faults.

    `faults`: (start, end) of each fault, seconds since the start of the load; one value of a series is one second.
    """
    parts = [_series(name, chart.series.get(column, []), faults) for name, column in chart.tooltip[:_SERIES]]
    if not chart.tooltip and chart.series:
        known = [value for values in chart.series.values() for value in values if value is not None]
        parts = [f"{len(chart.series):,} lines, {_range(known)}"]
    elif len(chart.tooltip) > _SERIES:
        parts.append(f"{len(chart.tooltip) - _SERIES:,} more lines")
    bands = _notable(chart)
    parts += [f"{band.what}, {band.left:.1f} to {band.right:.1f} s" for band in bands[:_BANDS]]
    if len(bands) > _BANDS:
        parts.append(f"{len(bands) - _BANDS:,} more")
    if chart.bands and not bands:
        parts.append("no change of health")
    unit = f" ({chart.y_label})" if chart.y_label else ""
    return f"{title or 'Phases and faults'}{unit}: {'; '.join(parts) or 'no values'}."


def _notable(chart: Chart) -> list[Band]:
    """The bands without those that say that all is well."""
    return [band for band in chart.bands if not band.what.endswith(": in rotation")]


def _series(name: str, values: Sequence[float | None], faults: Sequence[tuple[float, float]]) -> str:
    known = [value for value in values if value is not None]
    hit = [
        value
        for second, value in enumerate(values)
        if value is not None and any(start < second + 1 and second < end for start, end in faults)
    ]
    return f"{name}: {_range(known)}" + (f", during the fault {_range(hit)}" if hit else "")


def _range(values: Sequence[float]) -> str:
    if not values:
        return "no value"
    low, high = min(values), max(values)
    return f"always {_number(low)}" if low == high else f"{_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or math.isclose(value, round(value)) else f"{value:.3g}"
