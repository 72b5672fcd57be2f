"""The values of one run that are compared with those of other runs, taken from its report.json."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from reports.comparison.spread import number
from reports.gating.soundness import unsound_because
from reports.measures.catalogue import CATALOGUE
from reports.measures.spec import MeasureSpec
from reports.shared.phases import GATE_PHASES

__all__ = ["WHOLE_RUN", "Cell", "RunValues", "pairs_by_seed", "run_values", "spec_of", "stat_of", "where_of"]

Cell = Literal["run", "baseline", "fault", "recovery"]
"""A phase, or `run`: baseline, fault and recovery together."""

WHOLE_RUN: Final = "run"

_CELLS: Final[tuple[Cell, ...]] = ("run", "baseline", "fault", "recovery")


class RunValues(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The values of one run.

    `started_at`: ISO 8601. `sound`: its counts may decide; else `why` says why not. `doubtful`: the machine may have
    been too slow, or spans are missing: no time, and nothing that needs spans of the gateway, is compared. `calls`,
    `sessions`: their number. `measures`: by measure with its statistic, in the measure's unit, infinite where
    something never happened; what was not measured is missing. A measure that a gate narrows has a name such as
    `slo_attainment for tier=batch`.
    """

    seed: int
    started_at: str
    sound: bool
    doubtful: bool
    calls: dict[Cell, float]
    sessions: dict[Cell, float]
    measures: dict[str, dict[Cell, float]]
    why: str = ""

    def value(self, measure: str, phase: str | None) -> float | None:
        """A measure in a phase, or with None in the whole run; None: not measured."""
        return next(
            (value for cell, value in self.measures.get(measure, {}).items() if cell == (phase or WHOLE_RUN)), None
        )


def run_values(report: Mapping[str, Any]) -> RunValues:
    """The values of a run, given the content of its report.json.

    Raises KeyError, TypeError or ValueError for what is no report, or has no seed.
    """
    why = next(iter(unsound_because(report)), "")
    run = report["run"]
    measures = {name: found for name in report["measures"] if (found := _cells(report, name))}
    return RunValues(
        seed=int(run["seed"]),
        started_at=str(run["started_at"]),
        sound=not why,
        doubtful=bool(report["proofs"]["doubts"]),
        calls=dict(measures.get("calls", {})),
        sessions=dict(measures.get("sessions", {})),
        measures={**_gates(report), **measures},
        why=why,
    )


def pairs_by_seed(head: Iterable[RunValues], base: Iterable[RunValues]) -> list[tuple[RunValues, RunValues]]:
    """The runs that both sides played with the same seed, in the order of the base. Sound runs are paired first."""
    ours, theirs = _by_seed(head), _by_seed(base)
    return [pair for seed in theirs if seed in ours for pair in zip(ours[seed], theirs[seed], strict=False)]


def _by_seed(runs: Iterable[RunValues]) -> dict[int, list[RunValues]]:
    found: dict[int, list[RunValues]] = defaultdict(list)
    for run in sorted(runs, key=lambda one: (not one.sound, one.doubtful, one.started_at)):
        found[run.seed].append(run)
    return dict(sorted(found.items()))


def spec_of(measure: str) -> MeasureSpec | None:
    """The specification of a measure as it is named here; None where there is none."""
    return CATALOGUE.get(measure.partition(" ")[0].partition(".")[0])


def stat_of(measure: str) -> str:
    """The statistic of a measure: `p95` of `ttft.p95 for tier=batch`, "" without one."""
    return measure.partition(" ")[0].partition(".")[2]


def where_of(measure: str) -> str:
    """What narrows a measure: `tier=batch` of `shed for tier=batch`, "" if nothing does."""
    return measure.partition(" for ")[2]


def _cells(report: Mapping[str, Any], name: str) -> dict[Cell, float]:
    values = {cell: number(report, name, None if cell == WHOLE_RUN else cell) for cell in _CELLS}
    return {cell: value for cell, value in values.items() if value is not None}


def _gates(report: Mapping[str, Any]) -> dict[str, dict[Cell, float]]:
    """What gates measure beside the table of measures: other percentiles, and parts of the traffic."""
    found: dict[str, dict[Cell, float]] = defaultdict(dict)
    for gate in (*report["gates"], *report.get("steady_state", ())):
        phase, where = gate.get("phase"), gate.get("where")
        name = f"{gate['measure']} for {where}" if where else str(gate["measure"])
        cell = {"value": gate.get("value")}
        kind = {"measures": {name: {"run": cell, "phases": {phase: cell}}}}
        value = number(kind, name, phase)
        if value is not None and (phase is None or phase in GATE_PHASES):
            found[name][phase or WHOLE_RUN] = value
    return found
