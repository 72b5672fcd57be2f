"""The part of the page that compares the run with its twin: what the faults changed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.comparison.cells import difference_cells

__all__ = ["twin_view"]


def twin_view(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """Every difference as text; those beyond chance have `differs`. None for a run without a twin."""
    twin = data.get("twin")
    if twin is None:
        return None
    rows = [difference_cells(row) for row in twin["differences"]]
    judged_by = f"{twin['spread']['pairs']} A/A pairs" if twin["spread"] else ""
    kept = {key: twin[key] for key in ("problem", "note", "path", "sessions", "doubts")}
    return {**kept, "judged_by": judged_by, "rows": rows}
