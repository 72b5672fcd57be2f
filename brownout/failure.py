"""The message of a gate that did not pass: what failed, by how much and why, the report, and how to play it again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from brownout.result import ExperimentResult, GateResult, MeasureChange, PlayedRun, Result

__all__ = ["failure_text"]

_PASSED: Final = "pass"
_UNDECIDED: Final = "inconclusive"
_MOST_FAILURES: Final = 3
_BUT: Final = "; but "
"""In the reason of a gate: what stands before the doubts."""


def failure_text(result: Result, *, allow_inconclusive: bool = False) -> str:
    """Why a result did not pass, or "" if it did. An inconclusive one passes only with `allow_inconclusive`."""
    accepted = {_PASSED, _UNDECIDED} if allow_inconclusive else {_PASSED}
    judged = [result.verdict, *(experiment.verdict for experiment in result.experiments)]
    if not result.experiments:
        return f"brownout: {result.verdict}: no experiment was played" + _reasons(result.why)
    if accepted.issuperset(judged):
        return ""
    short = [experiment for experiment in result.experiments if experiment.verdict not in accepted]
    if not short:  # it ended before all experiments were played
        return f"brownout: {result.verdict} (exit code {result.exit_code})" + _reasons(result.why)
    many = f", {len(short)} of {len(result.experiments)} experiments" if len(result.experiments) > 1 else ""
    head = f"brownout: {result.verdict}{many} (exit code {result.exit_code})"
    return "\n".join([head, *(line for experiment in short for line in _experiment_lines(result, experiment))])


def _experiment_lines(result: Result, experiment: ExperimentResult) -> Iterator[str]:
    yield f"{experiment.name} on {experiment.target}: {experiment.verdict}"
    listed = [gate for gate in experiment.gates if gate.verdict != _PASSED]
    changes = experiment.comparison.judged if experiment.comparison else ()
    changed = [change for change in changes if change.verdict != _PASSED]
    if experiment.verdict == "fail":  # what is only undecided did not fail it
        listed = [gate for gate in listed if gate.verdict == "fail"]
        changed = [change for change in changed if change.verdict == "fail"]
    told: set[str] = set()
    for gate in listed:
        yield from _gate_lines(gate, told)
    base = experiment.comparison.base if experiment.comparison else ""
    for change in changed:
        yield from _change_lines(change, base)
    if not listed and not changed:
        yield from (f"  {line}" for line in experiment.why)
    if experiment.sentence:
        yield f"  what happened: {experiment.sentence}"
    if experiment.failures:
        yield "  failed calls:"
        yield from (f"    {line}" for line in experiment.failures[:_MOST_FAILURES])
    if experiment.helps:
        yield f"  what helps: {experiment.helps}"
    decided = _deciding_run(experiment)
    if decided is not None and decided.report:
        yield f"  report: {result.folder / decided.report}"
    command = experiment.commands[0] if experiment.commands else decided.command if decided is not None else ""
    if command:
        yield f"  play it again: {command}"


def _gate_lines(gate: GateResult, told: set[str]) -> Iterator[str]:
    """The gate and its reasons. `told`: doubts that need no repetition; a busy machine makes many gates undecided."""
    word = "steady state" if gate.steady_state else "gate"
    verdict = "failed" if gate.verdict == "fail" else "undecided"
    measured = _value(gate.value, gate.unit) + _interval(gate.interval, gate.level, gate.unit)
    yield f"  {word} {verdict}: {gate.text}: measured {measured}"
    _, but, doubts = gate.why.partition(_BUT)
    if not but:
        yield f"    {gate.why}"
    elif doubts not in told:
        told.add(doubts)
        yield f"    undecided, because {doubts}"


def _change_lines(change: MeasureChange, base: str) -> Iterator[str]:
    word = "regression" if change.verdict == "fail" else "regression undecided"
    where = f" ({change.phase})" if change.phase else ""
    unit = "share" if change.relative else change.unit
    yield f"  {word}: {change.title}{where}"
    if change.change is None:
        yield f"    {change.why}"
        return
    yield (
        f"    {_value(change.here, change.unit)} here, {_value(change.there, change.unit)} in {base}: "
        f"changed by {_value(change.change, unit)}{_interval(change.interval, None, unit)}, "
        f"accepted {_value(change.tolerance, unit)}"
    )
    yield f"    {change.why}"


def _deciding_run(experiment: ExperimentResult) -> PlayedRun | None:
    """The run that the first command plays again; else the first one that did not pass; else the last one."""
    again = experiment.commands[0] if experiment.commands else None
    heads = [run for run in experiment.runs if run.side == "head"]
    by_command = [run for run in heads if run.command == again]
    return next(iter([*by_command, *(run for run in heads if run.verdict != _PASSED), *heads[::-1]]), None)


def _reasons(why: tuple[str, ...]) -> str:
    return "".join(f"\n  {line}" for line in why)


def _interval(interval: tuple[float, float] | None, level: float | None, unit: str) -> str:
    """` (99.5% interval 2 s to 3 s)`. `level`: None where it is not known, as with a change: its `why` says it."""
    if interval is None:
        return ""
    low, high = (_value(end, unit) for end in interval)
    share = "" if level is None else f"{level * 100:.4g}% "
    return f" ({share}interval {low} to {high})"


def _value(value: float | None, unit: str) -> str:
    """`1.25 s`, `350 ms`, `97.1%`, `1.05x`, `$2.10`, `3`; `never` if infinite."""
    if value is None:
        return "nothing"
    if math.isinf(value):
        return "never" if value > 0 else "-never"
    if unit == "share":
        return f"{value * 100:.4g}%"
    if unit == "USD":
        return f"${value:,.2f}"
    if unit == "s" and 0 < abs(value) < 1:
        return f"{value * 1000:.4g} ms"
    number = f"{value:.3g}" if abs(value) < 100 else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return number + ("x" if unit == "x" else f" {unit}" if unit in ("s", "tok/s", "sessions/s") else "")
