"""Parts of summary.md about overload: who was served, what it cost, whether it stays down. Markdown lines; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reports.shared.wording import value_text
from reports.writers.html.accounts import accounts_view
from reports.writers.html.cost import cost_view
from reports.writers.html.metastability import metastability_view

__all__ = ["overload_parts"]

Data = Mapping[str, Any]


def overload_parts(data: Data, cell: Callable[[str], str]) -> list[str]:
    """Those that the run has; `cell` makes a text fit for a table."""
    return _stays(data, cell) + _served(data, cell) + _cost(data, cell)


def _stays(data: Data, cell: Callable[[str], str]) -> list[str]:
    view = metastability_view(data)
    if view is None:
        return []
    lines = ["## Does it stay down?", "", f"**{view['word']}.** {cell(view['why'])}", ""]
    lines += [f"- {name}: {cell(text)}" for name, text in view["lines"]]
    lines += [
        f"- {what}: {after}, baseline {before}" + (" (above it)" if worse else "")
        for what, before, after, worse in view["persisting"]
    ]
    return [*lines, ""]


def _served(data: Data, cell: Callable[[str], str]) -> list[str]:
    view = accounts_view(data)
    if view is None:
        return []
    head = ["who", *(f"{phase}: asked, good, shed, TTFT p95" for phase in view["phases"])]
    rows = [
        [
            f"{row['name']} {row['tier']}".strip(),
            *(f"{its['asked']}, {its['good']}, {its['shed']}, {its['ttft']}" for its in row["cells"]),
        ]
        for row in (*view["tiers"], *(view["tenants"] if len(view["tenants"]) > 1 else ()))
    ]
    rows += [[title, *cells] for title, cells in view["fairness"]]
    return ["## Who was served", "", *_table(head, rows, cell)]


def _cost(data: Data, cell: Callable[[str], str]) -> list[str]:
    view = cost_view(data)
    if not view["rows"]:
        return []
    rows = [[title, *(f"{usd} ({under})" if under else usd for usd, under in cells)] for title, cells in view["rows"]]
    rows += [[title, value, *("" for _ in view["phases"])] for title, value in view["knee"]]
    pools = ", ".join(f"{pool} {value_text(usd, 'USD')}" for pool, usd in data["cost_by_pool"].items())
    return ["## Cost", "", *_table(["", "run", *view["phases"]], rows, cell)[:-1], "", f"By pool: {cell(pools)}", ""]


def _table(head: list[str], rows: list[list[str]], cell: Callable[[str], str]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return [*lines, *("| " + " | ".join(cell(text) for text in row) + " |" for row in rows), ""]
