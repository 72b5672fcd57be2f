"""The charts of history.html: one for each line of a series, one point for each run. Pure; `history.js` draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reports.shared.wording import value_text
from reports.trend.words import change_text, doubt_text, short_time
from reports.writers.html.palette import BAD, GOOD, GREY, OFFERED, WARN

__all__ = ["DIRECTION_COLOUR", "VERDICT_COLOUR", "history_charts"]

VERDICT_COLOUR: Final = {"pass": GOOD, "inconclusive": WARN, "aborted": WARN, "interrupted": GREY, "played": OFFERED}
"""Other verdicts are failures."""
DIRECTION_COLOUR: Final = {"worse": BAD, "better": GOOD, "changed": OFFERED}

_UNITS: Final = {"s": "seconds", "share": "%", "count": "", "x": "times"}


def history_charts(number: int, series: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The charts of a series, those with changes first. `number`: of the series on the page, for the ids."""
    found = [_chart(number, place, line, series) for place, line in enumerate(series["lines"])]
    return sorted(found, key=lambda chart: not chart["changes"])


def _chart(number: int, place: int, line: Mapping[str, Any], series: Mapping[str, Any]) -> dict[str, Any]:
    runs = series["runs"]
    changes = [change for change in series["changes"] if change["line"] == place]
    scale, unit = _scale(line)
    values = [None if value is None or isinstance(value, str) else value * scale for value in line["values"]]
    limit = line["limit"] * scale if isinstance(line["limit"], (int, float)) else None
    finite = [value for value in values if value is not None]
    near = limit is not None and finite and min(finite) * 0.3 <= limit <= max(finite) * 3
    low, high = _range([*finite, *([limit] if near and limit is not None else [])])
    if line["unit"] == "share" and max(finite, default=0.0) <= 100:
        high = min(high, 101.0)
    return {
        "id": f"{number}-{place}",
        "name": line["name"],
        "title": line["title"],
        "gate": line["gate"],
        "now": _now(line),
        "unit": unit,
        "range": [low, high],
        "limit": limit if near else None,
        "x": [index + 1 for index in range(len(runs))],
        "y": [
            {"never": high, "-never": low}.get(str(value), shown)
            for value, shown in zip(line["values"], values, strict=True)
        ],
        "colours": [VERDICT_COLOUR.get(run["verdict"], BAD) for run in runs],
        "counts": list(line["counts"]),
        "texts": ["-" if value is None else value_text(value, line["unit"]) for value in line["values"]],
        "when": [short_time(run["started_at"]) for run in runs],
        "runs": [_tooltip(run) for run in runs],
        "levels": _levels(changes, len(runs), scale, high),
        "changes": [{"x": change["run"] + 0.5, "colour": DIRECTION_COLOUR[change["direction"]]} for change in changes],
        "words": _words(line, changes),
        "direction": changes[-1]["direction"] if changes else "",
    }


def _tooltip(run: Mapping[str, Any]) -> str:
    doubt = doubt_text(run)
    return f"{run['verdict']}, seed {run['seed']}" + (f", {doubt}" if doubt else "")


def _words(line: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]) -> str:
    """The chart in words: its range, and its changes."""
    finite = [value for value in line["values"] if isinstance(value, (int, float))]
    ends = [value_text(value, line["unit"]) for value in (min(finite), max(finite))] if finite else []
    known = f"{ends[0]} to {ends[1]}" if ends else "never"
    told = [
        f"{change['direction']} since {short_time(change['started_at'])}: {change_text(change)}" for change in changes
    ]
    return "; ".join([known, *(told or ["no change"])])


def _now(line: Mapping[str, Any]) -> str:
    """The newest value, as text."""
    known = [value for value in line["values"] if value is not None]
    return value_text(known[-1], line["unit"]) if known else "-"


def _scale(line: Mapping[str, Any]) -> tuple[float, str]:
    """By what values are multiplied for the chart, and the unit of its axis."""
    if line["unit"] == "share":
        return 100.0, "%"
    finite = [value for value in line["values"] if isinstance(value, (int, float))]
    if line["unit"] == "s" and finite and max(finite) < 1:
        return 1000.0, "milliseconds"
    return 1.0, _UNITS.get(line["unit"], line["unit"])


def _range(values: Sequence[float]) -> tuple[float, float]:
    """The range of the vertical axis: at least a fifth of the largest value, so that little noise looks quiet."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if low == high == 0:
        return 0.0, 1.0
    span = max(high - low, 0.2 * max(abs(low), abs(high)))
    middle = (low + high) / 2
    bottom = middle - 0.62 * span
    return (0.0 if low >= 0 and bottom < 0.3 * span else bottom), middle + 0.62 * span


def _levels(changes: Sequence[Mapping[str, Any]], runs: int, scale: float, high: float) -> list[dict[str, Any]]:
    """The level between two changes, as horizontal lines: from, to (in runs), at."""
    if not changes:
        return []
    cuts = [0, *(change["run"] for change in changes), runs]
    typical = [changes[0]["before"], *(change["after"] for change in changes)]
    return [
        {"from": left + 0.5, "to": right + 0.5, "at": high if isinstance(at, str) else at * scale}
        for left, right, at in zip(cuts, cuts[1:], typical, strict=False)
    ]
