"""The fault windows of chaos by hand: a table for each, with a link to its own page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.by_hand.section import abandoned_text
from reports.shared.wording import value_text

__all__ = ["windows_view"]


def windows_view(data: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The windows; None in the report of an experiment, and of a window itself."""
    windows = data.get("windows")
    return None if windows is None else [_window(window) for window in windows]


def _window(window: Mapping[str, Any]) -> dict[str, Any]:
    (fault,) = (phase for phase in window["phases"] if phase["name"] == "fault")
    return {
        "number": window["number"],
        "faults": [f"{one['kind']} of {', '.join(one['targets'])} ({one['id']})" for one in window["faults"]],
        "when": f"from {fault['start_s']:.1f} s to {fault['end_s']:.1f} s",
        "no_baseline": window["no_baseline"],
        "abandoned": abandoned_text(window),
        "link": f"{window['folder']}/report.html",
        "rows": [(one["name"], _text(one)) for one in window["measures"]],
    }


def _text(measure: Mapping[str, Any]) -> str:
    if measure["value"] is None:
        return f"not measured: {measure['why_not']}"
    note = f" ({measure['note']})" if measure["note"] else ""
    return value_text(measure["value"], measure["unit"]) + note
