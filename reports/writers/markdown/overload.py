"""The parts of summary.md about metastability, tenants and cost, as lines of Markdown. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.shared.wording import value_text
from reports.writers.markdown.text import escaped
from reports.writers.views.accounts import accounts_view
from reports.writers.views.cost import cost_view
from reports.writers.views.metastability import metastability_view

__all__ = ["overload_parts"]

Data = Mapping[str, Any]


def overload_parts(data: Data) -> list[str]:
    """The parts that the run has values for."""
    return _metastability(data) + _accounts(data) + _cost(data)


def _metastability(data: Data) -> list[str]:
    view = metastability_view(data)
    if view is None:
        return []
    lines = ["## Metastability", "", f"**{view['headline']}.** {escaped(view['why'])}", ""]
    lines += [f"- {name}: {escaped(text)}" for name, text in view["lines"]]
    lines += [
        f"- {what}: {after}, baseline {before}" + (" (above the baseline)" if worse else "")
        for what, before, after, worse in view["persisting"]
    ]
    return [*lines, ""]


def _accounts(data: Data) -> list[str]:
    view = accounts_view(data)
    if view is None:
        return []
    head = ["tenant or tier", *(f"{phase}: calls, good, shed, TTFT p95" for phase in view["phases"])]
    rows = [
        [
            f"{row['name']} {row['tier']}".strip(),
            *(f"{cell['calls']}, {cell['good']}, {cell['shed']}, {cell['ttft']}" for cell in row["cells"]),
        ]
        for row in (*view["tiers"], *(view["tenants"] if len(view["tenants"]) > 1 else ()))
    ]
    rows += [[title, *cells] for title, cells in view["fairness"]]
    return ["## Tenants and tiers", "", *_table(head, rows)]


def _cost(data: Data) -> list[str]:
    view = cost_view(data)
    if not view["rows"]:
        return []
    rows = [[title, *(f"{usd} ({under})" if under else usd for usd, under in cells)] for title, cells in view["rows"]]
    rows += [[title, value, *("" for _ in view["phases"])] for title, value in view["knee"]]
    pools = ", ".join(f"{pool} {value_text(usd, 'USD')}" for pool, usd in data["cost_by_pool"].items())
    return ["## Cost", "", *_table(["", "run", *view["phases"]], rows)[:-1], "", f"By pool: {escaped(pools)}", ""]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return [*lines, *("| " + " | ".join(escaped(text) for text in row) + " |" for row in rows), ""]
