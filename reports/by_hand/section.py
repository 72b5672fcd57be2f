"""The part `windows` of report.json: each fault window, with its most important measures. Also as lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reports.by_hand.windows import FaultWindow
from reports.gates.judging import measure
from reports.history.evidence import Evidence, Scope
from reports.measures.catalogue import CATALOGUE
from reports.shared.attributes import Outcome
from reports.shared.wording import value_text

__all__ = ["SHOWN", "WITH_ALERTS", "abandoned_text", "window_lines", "window_section"]

SHOWN: Final = (
    ("slo_attainment", "", "baseline"),
    ("slo_attainment", "", "fault"),
    ("calls_failed", "", "fault"),
    ("time_to_detect", "", None),
    ("failover", "max", None),
    ("failover_rate", "", None),
    ("time_to_readmit", "", None),
    ("time_to_recover", "", None),
    ("silent_truncations", "", None),
)
"""Measure, statistic and phase of what is shown of a window."""

WITH_ALERTS: Final = (("time_to_alert", "", None),)
"""The same, where alerts were received."""


def window_section(window: FaultWindow, evidence: Evidence, folder: str) -> dict[str, Any]:
    """One window. `evidence`: of the record as that of a run with this window alone. `folder`: of its own report."""
    shown = (*SHOWN, *WITH_ALERTS) if evidence.record.alerts.received else SHOWN
    return {
        "number": window.number,
        "faults": [{"id": fault.id, "kind": fault.kind, "targets": list(fault.targets)} for fault in window.faults],
        "phases": [{"name": p.name, "start_s": p.start_s, "end_s": p.end_s} for p in window.phases],
        "no_baseline": window.without,
        "abandoned": _abandoned(evidence),
        "measures": [_shown(evidence, name, stat, phase) for name, stat, phase in shown],
        "folder": folder,
    }


def _abandoned(evidence: Evidence) -> int:
    """The calls of the fault phase that were open when the load stopped: an experiment lets its calls end first."""
    return sum(call.outcome == Outcome.ABANDONED and call.phase == "fault" for call in evidence.calls.calls)


def abandoned_text(section: Mapping[str, Any]) -> str:
    """What the end of the load did to the window; "" if nothing."""
    count = section["abandoned"]
    calls = "1 call of the fault was" if count == 1 else f"{count} calls of the fault were"
    return f"{calls} open when the load stopped, and count as failed" if count else ""


def _shown(evidence: Evidence, name: str, stat: str, phase: str | None) -> dict[str, Any]:
    spec = CATALOGUE[name]
    try:
        found = measure(evidence, name, Scope(phase), stat)
    except Exception as error:  # a measure that crashes must not lose the others
        value, why_not, note = None, f"the measure crashed: {error!r}", ""
    else:
        value, why_not, note = found.value, found.why_not, found.note
    text = f"{name}.{stat}" if stat else name
    return {
        "name": f"{text} in {phase}" if phase else text,
        "unit": spec.unit_of(stat),
        "value": value,
        "why_not": why_not,
        "note": note,
    }


def window_lines(section: dict[str, Any]) -> list[str]:
    """The window as plain text: its faults and times, then a line for each measure."""
    faults = ", ".join(f"{one['kind']} on {', '.join(one['targets'])} ({one['id']})" for one in section["faults"])
    phase = next(one for one in section["phases"] if one["name"] == "fault")
    lines = [f"{section['number']}. {faults}, from {phase['start_s']:.1f} s to {phase['end_s']:.1f} s"]
    if section["no_baseline"]:
        lines.append(f"   no baseline: {section['no_baseline']}")
    if section["abandoned"]:
        lines.append(f"   {abandoned_text(section)}")
    width = max(len(one["name"]) for one in section["measures"])
    for one in section["measures"]:
        if one["value"] is None:
            text = f"not measured: {one['why_not']}"
        else:
            text = value_text(one["value"], one["unit"]) + (f" ({one['note']})" if one["note"] else "")
        lines.append(f"   {one['name']:<{width}}  {text}")
    return lines
