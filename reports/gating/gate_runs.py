"""A gate in one of several runs, and what was found over the runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports.gating.between_runs import RunValue
from reports.gating.soundness import Gate, Report, compared_value, decoded, why_not
from reports.measures.catalogue import CATALOGUE
from reports.measures.value_range import ValueRange
from reports.shared.wording import ends_text, value_text

__all__ = [
    "Finding",
    "GateRun",
    "bound_text",
    "gate_run",
    "own_why",
    "range_of",
    "reason_text",
    "stripped",
    "unit_of",
    "value_of_run",
]

_ANY: Final = ValueRange(-math.inf)


@dataclass(frozen=True, slots=True)
class GateRun:
    """One run and its gate. `gate`: None where its report has no such gate. `refused`: why it may not judge it."""

    number: int
    name: str
    report: Report
    gate: Gate | None
    refused: str

    @property
    def value(self) -> float | None:
        return None if self.gate is None else compared_value(self.gate)


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict over runs. `runs`: those that it rests on."""

    judged: str
    why: str
    value: float | None
    interval: tuple[float, float] | None
    runs: Sequence[GateRun]
    stuck: str = ""
    final: bool = False


def gate_run(number: int, report: Report, section: str, text: str) -> GateRun:
    gate = next((one for one in report[section] if one["text"] == text), None)
    seed = report["run"]["seed"]
    name = f"run {number}" if seed is None else f"run {number} (seed {seed})"
    refused = "it has no such gate" if gate is None else why_not(report, gate)
    return GateRun(number, name, report, gate, refused)


def unit_of(gate: Gate) -> str:
    return "x" if gate["relative_to_baseline"] else str(gate["unit"])


def range_of(gate: Gate) -> ValueRange:
    if gate["relative_to_baseline"]:
        return ValueRange(0)
    measure, _, stat = str(gate["measure"]).partition(".")
    spec = CATALOGUE.get(measure)
    return _ANY if spec is None else spec.range_of(stat)


def value_of_run(run: GateRun, gate: Gate) -> RunValue | None:
    if run.value is None:
        return None
    ends = None if gate["interval"] is None else [decoded(end) for end in gate["interval"]]
    interval = None
    if ends is not None:
        low, high = ends
        interval = (-math.inf if low is None else low, math.inf if high is None else high)
    bounds = interval is not None and (gate["kind"] == "fact" or _noted(run.report, gate))
    return RunValue(run.value, interval, bounds, max(1, int(gate["samples"])))


def _noted(report: Report, gate: Gate) -> bool:
    """Whether the measure of this run leaves out what nobody saw: its interval is then a bound."""
    measure = str(gate["measure"]).partition(".")[0]
    own = [found for name, found in report.get("measures", {}).items() if name.partition(".")[0] == measure]
    parts: list[Any] = [part for found in own for part in (found["run"], *found["phases"].values())]
    return any(part.get("note") for part in parts)


def bound_text(gate: Gate) -> str:
    baseline = " x baseline" if gate["relative_to_baseline"] else ""
    text = value_text(gate["bound"], unit_of(gate)).removesuffix("x" if baseline else "")
    return f"{gate['op']} {text}{baseline}"


def stripped(why: str) -> str:
    """A reason of a run without the note of `on_inconclusive`, which is applied once, over all runs."""
    return why.rpartition(" (on_inconclusive: ")[0] or why


def own_why(run: GateRun) -> str:
    return "" if run.gate is None else stripped(str(run.gate["why"]))


def reason_text(gate: Gate, value: float, interval: tuple[float, float], level: float, judged: str, over: str) -> str:
    unit = unit_of(gate)
    percent = f"{level * 100:.4g}%"
    text = f"{value_text(value, unit)} {over} ({percent}: {ends_text(interval, unit)})"
    if judged == "pass":
        return f"{text}, as required ({bound_text(gate)})"
    if judged == "fail":
        return f"{text}, not {bound_text(gate)}"
    return f"{text}, on both sides of {value_text(gate['bound'], unit)}"
