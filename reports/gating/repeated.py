"""Gates judged over the runs of one experiment. `docs/statistics.md` has the rules with what was measured of them.

One run: its own verdict. Several runs:

counts     and other exact facts that are no times: fail if any run fails that may judge them; pass if at least one run
           passed and none is undecided. One undecided run keeps the gate undecided: it may have been the one that fails
the rest   shares, ratios, percentiles and times: an interval over the runs, at least two (`between_runs`). Pass if the
           whole interval satisfies the gate, fail if none of it does. A time that never came ("never") fails `<=`.
           Where a single run fails by its own interval, or has no value because its calls failed, the others do not
           outweigh it: the gate does not pass

Which runs may judge a gate: `soundness`. With a single one of several, a gate on a share or a time is undecided: the
interval of one run does not contain how far runs differ, which is why several were played. Where fewer than two runs
are left for a gate on times because of the machine, and each of the others passed the gate by itself, all of them
together may let it pass, but not fail.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from brownout.result import GateResult
from reports.gates.operators import OPERATORS
from reports.gating.between_runs import RunValue, verdict_of, widened, wilson_at
from reports.gating.estimates import judge_estimates
from reports.gating.gate_runs import (
    Finding,
    GateRun,
    bound_text,
    gate_run,
    own_why,
    range_of,
    reason_text,
    stripped,
    unit_of,
    value_of_run,
)
from reports.gating.soundness import Gate, Report, is_count
from reports.measures.spec import is_percentile, quantile_of
from reports.shared.wording import names_text, value_text

__all__ = ["JudgedGate", "judge_over_runs", "judged_gates"]

LEVEL: Final = 0.95
_SECTIONS: Final = ("steady_state", "gates")


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
    runs = [gate_run(number, report, section, text) for number, report in enumerate(reports, 1)]
    gate = next(run.gate for run in runs if run.gate is not None)
    if len(runs) == 1 and (alone or is_count(gate)):
        found = _single(runs[0], gate, level)
        values: tuple[float | None, ...] = (runs[0].value,)
    else:
        found = _counts(runs, gate) if is_count(gate) else judge_estimates(runs, gate, level)
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
        unit=unit_of(gate),
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


def _headline(report: Report) -> str:
    return str(report["run"].get("headline_gate", report["run"].get("tells")) or "")


def _left_out(runs: Sequence[GateRun], judging: Sequence[GateRun]) -> str:
    """Which runs do not count, and why: of several together without the figures, which the runs themselves show."""
    out = [run for run in runs if run not in judging]
    because: dict[str, list[GateRun]] = {}
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


def _why_out(run: GateRun) -> str:
    """Why the run does not count. With a value that nothing else is wrong with, its own analysis doubts it."""
    if run.refused or run.value is None:
        return run.refused or own_why(run)
    return f"its value is in doubt: {own_why(run).partition('; but ')[2]}"


def _single(run: GateRun, gate: Gate, level: float) -> Finding:
    """The run's own verdict; at a higher level than its own, with a wider interval."""
    judged, why = str(gate["judged"]), stripped(str(gate["why"]))
    own = value_of_run(run, gate)
    if own is None or own.interval is None or level <= LEVEL:
        return Finding(judged, why, run.value, own.interval if own else None, [run])
    interval = _at_level(gate, own, level)
    if judged != "inconclusive":
        judged = verdict_of(gate["op"], gate["bound"], interval)
        why = reason_text(gate, own.value, interval, level, judged, "in this run")
    return Finding(judged, why, own.value, interval, [run])


def _at_level(gate: Gate, own: RunValue, level: float) -> tuple[float, float]:
    """The interval of a single run at a level above 95 %."""
    assert own.interval is not None
    effective = gate.get("effective_samples") or 0
    if own.bounds:
        return own.interval
    if gate["kind"] == "rate" and not gate["relative_to_baseline"] and effective > 0:
        return wilson_at(own.value, effective, level)
    freedom = math.inf if gate["kind"] == "percentile" else max(4, gate["sessions"] - 1)
    interval = widened(own, freedom, "factor" if gate["relative_to_baseline"] else gate["unit"], level, range_of(gate))
    assert interval is not None
    stat = str(gate["measure"]).partition(".")[2]
    if gate["kind"] != "percentile" or not is_percentile(stat):
        return interval
    q, tail = quantile_of(stat), math.log((1 - level) / 2)
    low = -math.inf if effective < tail / math.log(1 - q) else interval[0]
    return low, math.inf if effective < tail / math.log(q) else interval[1]


def _counts(runs: Sequence[GateRun], gate: Gate) -> Finding:
    """A count over several runs: the worst one decides."""
    judging = [run for run in runs if not run.refused]
    measured = [run for run in judging if run.value is not None]
    worst = _worst(measured, gate)
    value = None if worst is None else worst.value
    failed = [run for run in judging if run.gate is not None and run.gate["judged"] == "fail"]
    if failed:
        worst = _worst(failed, gate) or failed[0]
        told = value_text(worst.value, unit_of(gate))
        why = f"{told} in {worst.name}, not {bound_text(gate)}"
        if len(judging) > 1:
            why += f"; {len(failed)} of {len(judging)} runs failed"
        return Finding("fail", why, worst.value, None, judging)
    if not judging:
        return Finding("inconclusive", f"none of {len(runs)} runs counts", None, None, [])
    open_runs = [run for run in judging if run.gate is not None and run.gate["judged"] == "inconclusive"]
    if open_runs:
        first = open_runs[0]
        why = f"{len(open_runs)} of {len(judging)} runs undecided, first {first.name}: {own_why(first)}"
        stuck = f"{first.name} stays undecided, and another run cannot change that"
        return Finding("inconclusive", why, value, None, judging, stuck, final=True)
    told = value_text(value, unit_of(gate))
    if len({run.value for run in measured}) == 1:
        text = f"{told} in {'the only run that counts' if len(judging) == 1 else f'each of {len(judging)} runs'}"
    else:
        text = f"{told} in {worst.name if worst else 'a run'}, the worst of {len(judging)} runs"
    return Finding("pass", f"{text}, as required ({bound_text(gate)})", value, None, judging)


def _worst(runs: Sequence[GateRun], gate: Gate) -> GateRun | None:
    """The run whose value is nearest to failing the gate, or furthest into failing it; the first one of equals."""
    limit, bound = OPERATORS[gate["op"]].limit, float(gate["bound"])

    def badness(run: GateRun) -> float:
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
