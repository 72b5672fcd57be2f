"""The worst failovers for the page: the same rows as in the terminal, with positions in percent of the axis. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from reports.shared.wording import value_text
from reports.waterfall.rows import FaultWindow, Row, Window
from reports.waterfall.story import Waterfall, waterfall_of

__all__ = ["waterfall_views"]

_TICKS: Final = 5
_NARROWEST: Final = 0.25
"""Smallest width of a bar, percent, so that it is visible."""

View = dict[str, Any]


def waterfall_views(data: Mapping[str, Any]) -> list[View]:
    """One view per failover in `report.json`, the worst first."""
    calls = enumerate(data["failovers"])
    return [_view(waterfall_of(call, data["faults"])) | {"id": f"call-{number}"} for number, call in calls]


def _view(waterfall: Waterfall) -> View:
    window = waterfall.window
    waited = None
    if waterfall.failover_s is not None:
        waited = _bar(window, waterfall.interrupted_s, waterfall.resumed_s) | {
            "length": value_text(waterfall.failover_s, "s"),
            "open": math.isinf(waterfall.failover_s),
        }
    return {
        "key": waterfall.key,
        "headline": waterfall.headline,
        "bad": waterfall.outcome != "ok",
        "ticks": [_tick(window, number) for number in range(_TICKS)],
        "faults": [_fault(window, fault) for fault in waterfall.faults],
        "rows": [_row(window, row) for row in waterfall.rows],
        "waited": waited,
        "zoomed": window.zoomed,
        "story": [
            {"at": f"{moment.at_s:.3f}", "kind": moment.kind, "text": moment.text, "details": moment.details}
            for moment in waterfall.story
        ],
    }


def _tick(window: Window, number: int) -> View:
    share = number / (_TICKS - 1)
    at = window.start_s + share * (window.end_s - window.start_s)
    return {"left": f"{share * 100:.2f}", "text": f"{at:.2f} s", "edge": "right" if number == _TICKS - 1 else ""}


def _fault(window: Window, fault: FaultWindow) -> View:
    length = "never reverted" if math.isinf(fault.end_s) else value_text(fault.end_s - fault.start_s, "s")
    return _bar(window, fault.start_s, fault.end_s) | {"label": f"fault {fault.id}: {fault.kind}", "length": length}


def _row(window: Window, row: Row) -> View:
    attributes = [f"{key}: {value}" for key, value in row.attributes]
    point = row.kind in ("decision", "missing")
    return _bar(window, row.start_s, row.end_s) | {
        "kind": row.kind,
        "indent": row.depth,
        "label": row.label,
        "detail": row.detail,
        "length": "" if point else value_text(row.duration_s, "s"),
        "failed": row.failed,
        "attributes": row.attributes,
        "hover": "\n".join([f"{row.label}: {row.start_s:.3f} to {row.end_s:.3f} s", *attributes]),
    }


def _bar(window: Window, start_s: float, end_s: float) -> View:
    left, right = window.share(start_s) * 100, window.share(min(end_s, window.end_s)) * 100
    width = max(_NARROWEST, right - left)
    left = min(left, 100 - _NARROWEST)
    return {"left": f"{left:.2f}", "width": f"{min(width, 100 - left):.2f}"}
