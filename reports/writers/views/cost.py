"""What the run cost: dollars by phase, relative to the baseline, by pool, and at the knee. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reports.shared.wording import value_text

__all__ = ["cost_view"]

_ROWS: Final = (
    ("cost", "hardware billed"),
    ("cost.per_1k_sessions", "per 1,000 successful sessions"),
    ("cost.per_million_tokens", "per million useful output tokens"),
)
_PHASES: Final = ("baseline", "fault", "recovery")


def cost_view(data: Mapping[str, Any]) -> dict[str, Any]:
    """Dollars by phase and by pool, and the knee where a gate of the experiment is about it."""
    phases = [phase for phase in _PHASES if phase in data["measures"]["cost"]["phases"]]
    rows = []
    for name, title in _ROWS:
        measure = data["measures"].get(name)
        if measure is None or measure["run"]["value"] is None:
            continue
        base = measure["phases"].get("baseline", {}).get("value")
        cells = [(_usd(measure["run"]["value"]), "")]
        for phase in phases:
            value = measure["phases"][phase]["value"]
            compared = phase != "baseline" and name != "cost" and _number(value) and _number(base) and base > 0
            cells.append((_usd(value), f"{value_text(value / base, 'x')} baseline" if compared else ""))
        rows.append((title, cells))
    pools = [(pool, f"${usd:,.2f}") for pool, usd in data["cost_by_pool"].items()]
    return {"phases": phases, "rows": rows, "pools": pools if rows else [], "knee": _knee(data)}


def _knee(data: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Empty unless a gate of the experiment is about the knee."""
    if not any(gate["measure"].startswith("knee") for gate in data["gates"]):
        return []
    names = (
        ("knee", "highest session rate served within the objectives"),
        ("knee.cost_per_1k_sessions", "per 1,000 sessions at that rate"),
    )
    measured = [(title, data["measures"][name]) for name, title in names if name in data["measures"]]
    return [(title, value_text(measure["run"]["value"], measure["unit"])) for title, measure in measured]


def _number(value: object) -> bool:
    return isinstance(value, (int, float))


def _usd(value: Any) -> str:
    return "–" if value is None else value_text(value, "USD")
