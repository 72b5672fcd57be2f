"""The values of a side-by-side comparison as text, the same in the terminal, comparison.md and comparison.html."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reports.comparison.side_by_side import SHOWN
from reports.shared.wording import value_text

__all__ = ["cell_text", "shown_measures"]


def cell_text(cell: Mapping[str, Any] | None) -> str:
    """The value that a gate measured in one run: `3.2 s` or, relative to the baseline, `2.1x baseline`."""
    if cell is None:
        return "-"
    if cell["relative_to_baseline"] and cell["factor"] is not None:
        return f"{value_text(cell['factor'], 'x')} baseline"
    return value_text(cell["value"], cell["unit"])


def shown_measures(data: Mapping[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    """The measures of `SHOWN` that at least one run has: name, title and the value of each run as text."""
    rows = {row["name"]: row for row in data["measures"]}
    for name in SHOWN:
        row = rows.get(name)
        if row is not None and any(value is not None for value in row["run"]):
            yield name, row["title"], [_value_cell(value, row["unit"]) for value in row["run"]]


def _value_cell(value: Any, unit: str) -> str:
    return "-" if value is None else value_text(value, unit)
