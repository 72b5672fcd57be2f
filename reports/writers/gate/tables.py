"""The tables of a gate's summary: gates, compared measures, runs, and all experiments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from brownout.result import Comparison, ExperimentResult, GateResult, MeasureChange, PlayedRun
from reports.shared.wording import value_text
from reports.writers.gate.markdown_text import code, prose, table
from reports.writers.gate.words import (
    accepted_text,
    change_text,
    detectable_text,
    interval_cell,
    measure_text,
    regressions,
    time_text,
    values_text,
    verdict_text,
)

__all__ = ["gates_table", "measures_table", "overview_table", "runs_table"]

_ORDER: Final = ("fail", "inconclusive", "pass")


def gates_table(gates: Sequence[GateResult]) -> str:
    """The gates, those that failed first. Each run has its value where there are several."""
    several = any(len(gate.values) > 1 for gate in gates)
    head = ["gate", "verdict", "value", "95% interval", *(["each run"] if several else [])]
    rows = []
    for gate in sorted(gates, key=lambda gate: (_ORDER.index(gate.verdict), not gate.headline)):
        name = code(gate.text) + (" (before the fault)" if gate.steady_state else "")
        cells = [name, _verdict(gate.verdict), _tight(value_text(gate.value, gate.unit)), interval_cell(gate)]
        if several:
            cells.append(prose(", ".join(_value(value, gate.unit) for value in gate.values), 120))
        rows.append(cells)
    return table(head, rows)


def _value(value: float | None, unit: str) -> str:
    return "-" if value is None else value_text(value, unit)


def measures_table(measures: Sequence[MeasureChange]) -> str:
    """The compared measures, those that became worse first."""
    head = ["measure", "verdict", "base → now", "change", "interval", "accepted", "can find"]
    rows = []
    for measure in sorted(measures, key=lambda measure: _ORDER.index(measure.verdict)):
        change, ends = change_text(measure)
        values = [_tight(value) for value in reversed(values_text(measure))]
        verdict = _verdict(measure.verdict) if measure.judged else _tight("not judged")
        cells = [code(measure_text(measure)), verdict, " → ".join(values), _tight(change), ends]
        rows.append([*cells, accepted_text(measure), detectable_text(measure)])
    return table(head, rows)


def runs_table(runs: Sequence[PlayedRun]) -> str:
    """The runs in the order in which they were played, with what makes them decide less."""
    both = any(run.side == "base" for run in runs)
    head = ["run", *(["side"] if both else []), "verdict", "seed", "duration", "doubts", "folder"]
    rows = []
    for number, run in enumerate(runs, start=1):
        doubts = "; ".join(run.doubts)
        if not run.sound:
            doubts = f"not counted{': ' if doubts else ''}{doubts}"
        side = ["base" if run.side == "base" else "head"] if both else []
        place = code(run.report or run.folder, 80)
        cells = [str(number), *side, _verdict(run.verdict), str(run.seed), _tight(time_text(run.duration_s))]
        rows.append([*cells, prose(doubts, 200), place])
    return table(head, rows)


def overview_table(experiments: Sequence[ExperimentResult]) -> str:
    """All experiments, a row each, in this order."""
    compared = any(experiment.comparison is not None for experiment in experiments)
    head = [
        "experiment",
        "target",
        "verdict",
        "gates",
        *(["compared with the base"] if compared else []),
        "runs",
        "time",
    ]
    rows = []
    for one in experiments:
        cells = [code(one.name, 60), prose(one.target, 60), _verdict(one.verdict), _gates_cell(one)]
        cells += [_compared_cell(one.comparison, len(regressions(one)))] if compared else []
        rows.append([*cells, str(len(one.runs)), time_text(one.duration_s)])
    return table(head, rows)


def _verdict(verdict: str) -> str:
    text = _tight(prose(verdict_text(verdict), 40))
    return text if verdict == "pass" else f"**{text}**"


def _tight(text: str) -> str:
    """A short text that stays on one line: no-break spaces."""
    return text.replace(" ", "\u00a0")


def _gates_cell(experiment: ExperimentResult) -> str:
    verdicts = [gate.verdict for gate in experiment.gates]
    failed, undecided = verdicts.count("fail"), verdicts.count("inconclusive")
    parts = [f"{failed} failed"] * bool(failed) + [f"{undecided} inconclusive"] * bool(undecided)
    return f"{', '.join(parts) or 'none failed'} of {len(verdicts)}" if verdicts else "none judged"


def _compared_cell(comparison: Comparison | None, worse: int) -> str:
    if comparison is None:
        return "-"
    if worse:
        return f"{worse} of {len(comparison.judged)} measures worse"
    return "not worse" if comparison.verdict == "pass" else "inconclusive"
