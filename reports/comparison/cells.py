"""The values of a side-by-side comparison as text, the same in the terminal, comparison.md and comparison.html."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from reports.comparison.side_by_side import SHOWN
from reports.shared.wording import difference_text, value_text

__all__ = [
    "NO_DIFFERENCE",
    "cell_text",
    "difference_cells",
    "pairs_text",
    "shown_measures",
    "told_in_contrast",
    "told_in_twin",
]

NO_DIFFERENCE: Final = "no measure differs by more than chance"


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


def difference_cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """A difference of two runs or two sides as text, for a table."""
    return {
        "measure": row["measure"],
        "title": row["title"],
        "phase": row["phase"] or "run",
        "here": value_text(row["here"], row["unit"]),
        "there": value_text(row["there"], row["unit"]),
        "difference": difference_text(row),
        "differs": row["differs"],
    }


def told_in_twin(twin: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The differences from a twin that are shown to people.

    Those beyond chance; where nothing can tell chance (`note`), those that other sessions would not explain.
    """
    key = "beyond_sessions" if twin["note"] else "differs"
    return [row for row in twin["differences"] if row[key]]


def told_in_contrast(contrast: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The differences of two sides that are shown to people.

    Those beyond chance; where nothing can tell chance (`note`), all of the whole run that are not 0.
    """
    if contrast["note"]:
        return [row for row in contrast["rows"] if row["phase"] is None and row["difference"] != 0]
    return [row for row in contrast["rows"] if row["differs"]]


def pairs_text(contrast: Mapping[str, Any]) -> str:
    """How many pairs of runs were compared, and what a single pair was judged by."""
    n, spread = contrast["pairs"], contrast["spread"]
    text = f"{n} pair{'' if n == 1 else 's'} of runs"
    return text if spread is None else f"{text}, judged by the spread of {spread['pairs']} A/A pairs"
