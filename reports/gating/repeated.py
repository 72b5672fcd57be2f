"""Gates judged over the runs of one experiment. `docs/statistics.md` has the rules with what was measured of them.

One run: its own verdict. Several runs:

counts     and other exact facts that are no times: fail if any run fails that may judge them; pass if at least one run
           passed and none is undecided. One undecided run keeps the gate undecided: it may have been the one that fails
the rest   shares, ratios, percentiles and times: an interval over the runs, at least two (`between_runs`). Pass if the
           whole interval satisfies the gate, fail if none of it does. A time that never came ("never") fails `<=`.
           Where a single run fails by its own interval, the others do not outweigh it: the gate does not pass

Which runs may judge a gate: `soundness`. With a single one of several, a gate on a share or a time is undecided: the
interval of one run does not contain how far runs differ, which is why several were played. Where fewer than two runs
are left for a gate on times because of the machine, and each of the others passed the gate by itself, all of them
together may let it pass, but not fail.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from brownout.result import GateResult
from reports.gates.operators import OPERATORS
from reports.gating.between_runs import RunValue, over_runs, verdict_of, widened, wilson_at
from reports.gating.soundness import Gate, Report, compared_value, crashed, decoded, is_count, is_time, why_not
from reports.measures.catalogue import CATALOGUE
from reports.measures.spec import is_percentile, quantile_of
from reports.measures.value_range import ValueRange
from reports.shared.wording import ends_text, names_text, value_text

__all__ = ["JudgedGate", "judge_over_runs", "judged_gates"]

LEVEL: Final = 0.95
_SECTIONS: Final = ("steady_state", "gates")
_ANY: Final = ValueRange(-math.inf)


@dataclass(frozen=True, slots=True)
class JudgedGate:
    """A gate over runs. `judged`: its verdict before `on_inconclusive` is applied.

    `stuck`: why further runs cannot make it pass, "" if they may: for certain where `final`, else as far as these runs
    show. `overridden`: `on_inconclusive` settles it then.
    """

    result: GateResult
    judged: str
    stuck: str = ""
    final: bool = False
    overridden: bool = False


@dataclass(frozen=True, slots=True)
class _Run:
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
class _Finding:
    """A verdict over runs. `runs`: those that it rests on."""

    judged: str
    why: str
    value: float | None
    interval: tuple[float, float] | None
    runs: Sequence[_Run]
    stuck: str = ""
    final: bool = False


def judge_over_runs(reports: Sequence[Report], level: float = LEVEL) -> tuple[GateResult, ...]:
    """The gates of one experiment over its runs, those of `steady_state` first. Raises ValueError without reports.

    `reports`: the content of `report.json` of each run, in the order in which they were played. `level`: of the
    intervals; above 0.95 where the runs are judged more than once.
    """
    return tuple(one.result for one in judged_gates(reports, level))


def judged_gates(reports: Sequence[Report], level: float = LEVEL, *, alone: bool = True) -> tuple[JudgedGate, ...]:
    """The same, with what a series of looks needs. `alone`: False: a single run decides no gate on a share or a time.

    Raises ValueError without reports.
    """
    if not reports:
        raise ValueError("there is no run to judge")
    return tuple(
        _judge(reports, section, text, level, alone)
        for section in _SECTIONS
        for text in dict.fromkeys(str(gate["text"]) for report in reports for gate in report[section])
    )


def _judge(reports: Sequence[Report], section: str, text: str, level: float, alone: bool) -> JudgedGate:
    runs = [_run(number, report, section, text) for number, report in enumerate(reports, 1)]
    gate = next(run.gate for run in runs if run.gate is not None)
    if len(runs) == 1 and (alone or is_count(gate)):
        found = _single(runs[0], gate, level)
        values: tuple[float | None, ...] = (runs[0].value,)
    else:
        found = _counts(runs, gate) if is_count(gate) else _estimates(runs, gate, level)
        found = replace(found, why=found.why + _left_out(runs, found.runs))
        judging = {run.number for run in found.runs}
        values = tuple(run.value if run.number in judging else None for run in runs)
    override, why = gate["on_inconclusive"], found.why
    verdict = found.judged
    if found.judged == "inconclusive" and override is not None:
        verdict, why = str(override), f"{why} (on_inconclusive: {override})"
    result = GateResult(
        text=text,
        measure=str(gate["measure"]),
        title=str(gate["title"]),
        unit=_unit(gate),
        op=str(gate["op"]),
        bound=float(gate["bound"]),
        verdict=verdict,  # type: ignore[arg-type]
        why=why,
        value=found.value,
        interval=found.interval,
        level=level,
        values=values,
        runs_judged=sum(value is not None for value in values),
        steady_state=section == "steady_state",
        headline=any(_headline(report) == text for report in reports),
    )
    return JudgedGate(result, found.judged, found.stuck, found.final, override is not None)


def _run(number: int, report: Report, section: str, text: str) -> _Run:
    gate = next((one for one in report[section] if one["text"] == text), None)
    seed = report["run"]["seed"]
    name = f"run {number}" if seed is None else f"run {number} (seed {seed})"
    refused = "it has no such gate" if gate is None else why_not(report, gate)
    return _Run(number, name, report, gate, refused)


def _headline(report: Report) -> str:
    return str(report["run"].get("headline_gate", report["run"].get("tells")) or "")


def _unit(gate: Gate) -> str:
    return "x" if gate["relative_to_baseline"] else str(gate["unit"])


def _range(gate: Gate) -> ValueRange:
    if gate["relative_to_baseline"]:
        return ValueRange(0)
    measure, _, stat = str(gate["measure"]).partition(".")
    spec = CATALOGUE.get(measure)
    return _ANY if spec is None else spec.range_of(stat)


def _bound_text(gate: Gate) -> str:
    baseline = " x baseline" if gate["relative_to_baseline"] else ""
    text = value_text(gate["bound"], _unit(gate)).removesuffix("x" if baseline else "")
    return f"{gate['op']} {text}{baseline}"


def _stripped(why: str) -> str:
    """A reason of a run without the note of `on_inconclusive`, which is applied once, over all runs."""
    return why.rpartition(" (on_inconclusive: ")[0] or why


def _left_out(runs: Sequence[_Run], judging: Sequence[_Run]) -> str:
    """Which runs do not count, and why: of several together without the figures, which the runs themselves show."""
    out = [run for run in runs if run not in judging]
    because: dict[str, list[_Run]] = {}
    for run in out:
        why = _why_out(run)
        because.setdefault(why if run.value is None else why.partition(": ")[0], []).append(run)
    texts = []
    for why, those in because.items():
        numbers = names_text([str(run.number) for run in those])
        if len(those) == 1:
            texts.append(f"; {those[0].name} does not count: {_why_out(those[0])}")
        else:
            texts.append(f"; runs {numbers} do not count: {why}")
    return "".join(texts)


def _why_out(run: _Run) -> str:
    """Why the run does not count. With a value that nothing else is wrong with, its own analysis doubts it."""
    if run.refused or run.value is None:
        return run.refused or _own_why(run)
    return f"its value is in doubt: {_own_why(run).partition('; but ')[2]}"


def _own_why(run: _Run) -> str:
    return "" if run.gate is None else _stripped(str(run.gate["why"]))


def _single(run: _Run, gate: Gate, level: float) -> _Finding:
    """The run's own verdict; at a higher level than its own, with a wider interval."""
    judged, why = str(gate["judged"]), _stripped(str(gate["why"]))
    own = _of_run(run, gate)
    if own is None or own.interval is None or level <= LEVEL:
        return _Finding(judged, why, run.value, own.interval if own else None, [run])
    interval = _at_level(gate, own, level)
    if judged != "inconclusive":
        judged = verdict_of(gate["op"], gate["bound"], interval)
        why = _reason(gate, own.value, interval, level, judged, "in this run")
    return _Finding(judged, why, own.value, interval, [run])


def _at_level(gate: Gate, own: RunValue, level: float) -> tuple[float, float]:
    """The interval of a single run at a level above 95 %."""
    assert own.interval is not None
    effective = gate.get("effective_samples") or 0
    if own.bounds:
        return own.interval
    if gate["kind"] == "rate" and not gate["relative_to_baseline"] and effective > 0:
        return wilson_at(own.value, effective, level)
    freedom = math.inf if gate["kind"] == "percentile" else max(4, gate["sessions"] - 1)
    interval = widened(own, freedom, "factor" if gate["relative_to_baseline"] else gate["unit"], level, _range(gate))
    assert interval is not None
    stat = str(gate["measure"]).partition(".")[2]
    if gate["kind"] != "percentile" or not is_percentile(stat):
        return interval
    q, tail = quantile_of(stat), math.log((1 - level) / 2)
    low = -math.inf if effective < tail / math.log(1 - q) else interval[0]
    return low, math.inf if effective < tail / math.log(q) else interval[1]


def _of_run(run: _Run, gate: Gate) -> RunValue | None:
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


def _counts(runs: Sequence[_Run], gate: Gate) -> _Finding:
    """A count over several runs: the worst one decides."""
    judging = [run for run in runs if not run.refused]
    measured = [run for run in judging if run.value is not None]
    worst = _worst(measured, gate)
    value = None if worst is None else worst.value
    failed = [run for run in judging if run.gate is not None and run.gate["judged"] == "fail"]
    if failed:
        worst = _worst(failed, gate) or failed[0]
        told = value_text(worst.value, _unit(gate))
        why = f"{told} in {worst.name}, not {_bound_text(gate)}"
        if len(judging) > 1:
            why += f"; {len(failed)} of {len(judging)} runs failed"
        return _Finding("fail", why, worst.value, None, judging)
    if not judging:
        return _Finding("inconclusive", f"none of {len(runs)} runs counts", None, None, [])
    open_runs = [run for run in judging if run.gate is not None and run.gate["judged"] == "inconclusive"]
    if open_runs:
        first = open_runs[0]
        why = f"{len(open_runs)} of {len(judging)} runs undecided, first {first.name}: {_own_why(first)}"
        stuck = f"{first.name} stays undecided, and another run cannot change that"
        return _Finding("inconclusive", why, value, None, judging, stuck, final=True)
    told = value_text(value, _unit(gate))
    if len({run.value for run in measured}) == 1:
        text = f"{told} in {'the only run that counts' if len(judging) == 1 else f'each of {len(judging)} runs'}"
    else:
        text = f"{told} in {worst.name if worst else 'a run'}, the worst of {len(judging)} runs"
    return _Finding("pass", f"{text}, as required ({_bound_text(gate)})", value, None, judging)


def _worst(runs: Sequence[_Run], gate: Gate) -> _Run | None:
    """The run whose value is nearest to failing the gate, or furthest into failing it; the first one of equals."""
    limit, bound = OPERATORS[gate["op"]].limit, float(gate["bound"])

    def badness(run: _Run) -> float:
        value = math.nan if run.value is None else run.value
        match limit:
            case "maximum":
                return value
            case "minimum":
                return -value
            case "equal":
                return abs(value - bound)
        return -abs(value - bound)

    known = [run for run in runs if run.value is not None]
    return max(known, key=badness, default=None)


def _estimates(runs: Sequence[_Run], gate: Gate, level: float) -> _Finding:
    """A share, a ratio, a percentile or a time over several runs."""
    asked = [run for run in runs if not run.refused]
    doubted = [run for run in asked if run.gate is not None and _is_doubted(run.gate)]
    judging = [run for run in asked if run not in doubted and run.value is not None]
    never = [run for run in judging if run.value == math.inf and is_time(gate)]
    if never and OPERATORS[gate["op"]].limit == "maximum":
        many = f"; so in {len(never)} of {len(judging)} runs" if len(never) > 1 else ""
        return _Finding("fail", f"never in {never[0].name}, not {_bound_text(gate)}{many}", math.inf, None, judging)
    late = _late_but_passed(runs) if len(judging) < 2 and not doubted else []
    if len(judging) + len(late) < 2:
        return _too_few(runs, judging, doubted)
    judging = [run for run in runs if run in judging or run in late]
    values = [value for run in judging if run.gate is not None and (value := _of_run(run, run.gate)) is not None]
    unit = "factor" if gate["relative_to_baseline"] else str(gate["unit"])
    found = over_runs(values, unit, level, _range(gate))
    judged = verdict_of(gate["op"], gate["bound"], found.interval)
    if math.isinf(found.value) and all(run.value == math.inf for run in judging):
        judged = "pass" if OPERATORS[gate["op"]].holds(math.inf, gate["bound"]) else judged
    why = _reason(gate, found.value, found.interval, level, judged, f"over {len(judging)} runs")
    if late and judged == "fail":
        judged, why = "inconclusive", f"{why}; but the machine was too slow in {names_text([r.name for r in late])}"
    if doubted and judged == "pass":
        judged, why = "inconclusive", f"{why}; but {_doubts(doubted)}"
    failed = [run for run in judging if run.gate is not None and not is_time(gate) and run.gate["judged"] == "fail"]
    if failed and judged == "pass":
        judged, why = "inconclusive", f"{why}; but {failed[0].name} fails by itself: {_own_why(failed[0])}"
    stuck = _stays(doubted) or _unknown_end(gate, found.interval) if judged == "inconclusive" else ""
    return _Finding(judged, why, found.value, found.interval, judging, stuck, final=bool(doubted))


def _is_doubted(gate: Gate) -> bool:
    """Whether the run's own analysis doubts the value, and does not only find the interval too wide."""
    return crashed(gate) or (gate["judged"] == "inconclusive" and gate["value"] is not None and "; but " in gate["why"])


def _stays(doubted: Sequence[_Run]) -> str:
    return f"{doubted[0].name} stays in doubt, and another run cannot change that" if doubted else ""


def _doubts(doubted: Sequence[_Run]) -> str:
    first, why = doubted[0], _own_why(doubted[0])
    return f"{first.name} is in doubt: {why.partition('; but ')[2] or why}"


def _late_but_passed(runs: Sequence[_Run]) -> list[_Run]:
    """The runs that only a doubt about the machine keeps from judging, if each of them passed the gate by itself."""
    late = [run for run in runs if run.refused and run.gate is not None and _only_late(run)]
    passed = all(run.gate is not None and run.gate["judged"] == "pass" for run in late)
    return late if passed else []


def _only_late(run: _Run) -> bool:
    assert run.gate is not None
    return why_not(run.report, run.gate, machine=False) == ""


def _too_few(runs: Sequence[_Run], judging: Sequence[_Run], doubted: Sequence[_Run]) -> _Finding:
    counted = "none counts" if not judging else f"only {judging[0].name} counts"
    why = f"an interval over runs needs 2 runs, and of {len(runs)} {counted}"
    stuck = _stays(doubted)
    if not doubted and not judging:
        stuck = "no run measured it"
    value = judging[0].value if judging else None
    return _Finding("inconclusive", why, value, None, judging, stuck, final=bool(doubted))


def _unknown_end(gate: Gate, interval: tuple[float, float]) -> str:
    """That the runs have too few samples for the end that decides; "" where they have enough."""
    if gate["kind"] != "percentile" or math.isfinite(interval[1]):
        return ""
    if OPERATORS[gate["op"]].limit == "minimum" or not OPERATORS[gate["op"]].holds(interval[0], gate["bound"]):
        return ""
    needed = gate["samples_needed"]
    return f"its runs have too few independent samples for the upper end (needed: {needed} a run)"


def _reason(gate: Gate, value: float, interval: tuple[float, float], level: float, judged: str, over: str) -> str:
    unit = _unit(gate)
    percent = f"{level * 100:.4g}%"
    text = f"{value_text(value, unit)} {over} ({percent}: {ends_text(interval, unit)})"
    if judged == "pass":
        return f"{text}, as required ({_bound_text(gate)})"
    if judged == "fail":
        return f"{text}, not {_bound_text(gate)}"
    return f"{text}, on both sides of {value_text(gate['bound'], unit)}"
