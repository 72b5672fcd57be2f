"""The lines of a series: a measure in a phase with one value for each run, and which runs count for it.

KEY     shown for every series, over baseline, fault and recovery together
gates   of the newest run that has any: what each of them measured
names   given by a user: instead of both, each in every phase
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reports.comparison.side_by_side import SHOWN
from reports.measures.catalogue import CATALOGUE
from reports.shared.errors import UserError, similar
from reports.shared.phases import GATE_PHASES
from reports.trend.direction import Better, better_of
from reports.trend.grouping import Series
from reports.trend.reading import GateValue, TrendRun, number_of

__all__ = ["KEY", "Line", "check_names", "left_out", "lines_of"]

KEY: Final = tuple(
    name
    for name in SHOWN
    if name
    in {
        "sessions_lost",
        "slo_attainment",
        "goodput",
        "ttft.p95",
        "tpot.p95",
        "failover.p95",
        "time_to_recover",
        "cost.per_1k_sessions",
    }
)

_Bound = tuple[str, float | None]
"""The text of the gates on a line, and the bound of the first."""


@dataclass(frozen=True, slots=True)
class Line:
    """A measure in a phase over the runs of a series.

    `phase`: None for baseline, fault and recovery together. `detail`: what else narrows it, such as `pool=tpu` or
    `x baseline`. `values`: of each run, None where it was not measured; infinite for `never`. `counts`: whether the
    run counts for change points. `bound`: the text of the newest gates on it; "" without one. `limit`: the bound of
    the first of them.
    """

    measure: str
    title: str
    unit: str
    phase: str | None
    detail: str
    latency: bool
    better: Better
    values: tuple[float | None, ...]
    counts: tuple[bool, ...]
    bound: str = ""
    limit: float | None = None

    @property
    def name(self) -> str:
        """`ttft.p95 during fault, pool=tpu`."""
        phase = f" during {self.phase}" if self.phase else ""
        return f"{self.measure}{phase}" + (f", {self.detail}" if self.detail else "")


def lines_of(series: Series, names: Sequence[str] = ()) -> list[Line]:
    """The lines of which at least one run has a value. `names`: of measures, instead of the key measures and gates."""
    if names:
        found = [
            line
            for name in dict.fromkeys(names)
            for phase in (None, *GATE_PHASES)
            if (line := _of_measure(series, name, phase)) is not None
        ]
    else:
        gates = list(_of_gates(series))
        taken = {(line.measure, line.phase): (line.bound, line.limit) for line in gates if not line.detail}
        keys = [line for name in KEY if (line := _of_measure(series, name, None, taken)) is not None]
        shown = {(line.measure, line.phase) for line in keys}
        found = [*keys, *(line for line in gates if line.detail or (line.measure, line.phase) not in shown)]
    return [line for line in found if any(value is not None for value in line.values)]


def left_out(run: TrendRun, *, latency: bool) -> str:
    """Why a run does not count for a measure; "" if it does."""
    if run.broken_off:
        return f"the run did not come to its end ({run.verdict})"
    if run.severe_doubts:
        return "the machine was so busy that it changed what happened"
    if run.fault_doubts:
        return "a fault was no valid test"
    if latency and run.machine_doubts:
        return "the machine was too busy to judge latencies"
    return ""


def check_names(runs: Iterable[TrendRun], names: Sequence[str]) -> None:
    """Raise UserError for the name of a measure that no run has."""
    known = {measure for run in runs for measure in run.measures} if names else set()
    for name in names:
        if name not in known:
            near = similar(name, sorted(known), most=3)
            near += [other for other in sorted(known) if other.startswith(f"{name}.") and other not in near]
            hint = f"did you mean {', '.join(near[:5])}?" if near else "brownout list measures shows all names"
            raise UserError(f"--measure {name}: no run has this measure; {hint}")


def _of_measure(
    series: Series, name: str, phase: str | None, bounds: Mapping[tuple[str, str | None], _Bound] | None = None
) -> Line | None:
    known = next((run.measures[name] for run in reversed(series.runs) if name in run.measures), None)
    if known is None:
        return None
    return _line(
        series,
        name,
        known.title,
        known.unit,
        phase,
        "",
        [_value(run, name, phase) for run in series.runs],
        (bounds or {}).get((name, phase), ("", None)),
    )


def _of_gates(series: Series) -> Iterator[Line]:
    """A line for each gate. Values are those of the run's table of measures, or else those of the gates."""
    newest = next((run for run in reversed(series.runs) if run.gates and not run.broken_off), None)
    seen: dict[tuple[str, str | None, str], str] = {}
    for gate in newest.gates if newest is not None else ():
        key = _key(gate)
        seen[key] = f"{seen[key]}; {gate.text}" if key in seen else gate.text
    for gate in newest.gates if newest is not None else ():
        key = _key(gate)
        if key in seen:
            name, phase, detail = key
            values = []
            for run in series.runs:
                own = next((one for one in run.gates if _key(one) == key), None)
                of_gate = None if own is None else number_of(own.factor if own.relative_to_baseline else own.value)
                values.append(of_gate if detail or of_gate is not None else _value(run, name, phase))
            unit = "x" if gate.relative_to_baseline else gate.unit
            bound = seen.pop(key), number_of(gate.bound)
            yield _line(series, name, gate.title, unit, phase, detail, values, bound)


def _key(gate: GateValue) -> tuple[str, str | None, str]:
    narrowed = [gate.where or "", "x baseline" if gate.relative_to_baseline else ""]
    return gate.measure, gate.phase, ", ".join(filter(None, narrowed))


def _value(run: TrendRun, name: str, phase: str | None) -> float | None:
    found = run.measures.get(name)
    if found is None:
        return None
    cell = found.run if phase is None else found.phases.get(phase)
    return None if cell is None else number_of(cell.value)


def _line(
    series: Series,
    name: str,
    title: str,
    unit: str,
    phase: str | None,
    detail: str,
    values: Sequence[float | None],
    bound: _Bound,
) -> Line:
    spec = CATALOGUE.get(name.partition(".")[0])
    latency = spec is not None and spec.latency
    counts = tuple(not left_out(run, latency=latency) for run in series.runs)
    return Line(name, title, unit, phase, detail, latency, better_of(name), tuple(values), counts, *bound)
