"""junit.xml of a gate: a testsuite per experiment, a testcase per gate, per compared measure and per run.

`failure`: a gate is violated, a measure became worse, or the stack stayed down. `error type="Inconclusive"`: it cannot
be judged. Only the testcases of runs have a time, that of the run, so the times of a suite sum to the time that its
runs took. A suite has a failure or an error exactly where the experiment did not pass, as the exit code says. A gate
that was stopped between two experiments has one more suite that says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from brownout.result import ExperimentResult, GateResult, MeasureChange, PlayedRun, Result
from reports.shared.whole_file import write_whole
from reports.shared.wording import value_text
from reports.writers.gate.words import (
    VERDICTS,
    accepted_text,
    change_text,
    detectable_text,
    gate_value_text,
    measure_text,
    own_verdict,
    run_name,
    seeds_text,
    time_text,
    values_text,
)
from reports.writers.junit_xml import Case, Problem, Suite, junit_xml

__all__ = ["write_gate_junit"]

_KINDS: Final = {"fail": "Violated", "inconclusive": "Inconclusive"}


def write_gate_junit(result: Result, folder: Path) -> Path:
    """Write `junit.xml` into `folder`, atomically. Raises OSError."""
    names = Counter(experiment.name for experiment in result.experiments)
    suites = []
    for experiment in result.experiments:
        name = experiment.name if names[experiment.name] == 1 else f"{experiment.name} on {experiment.target}"
        suites.append(_suite(result, experiment, name))
    if own_verdict(result):
        problem = _verdict_problem(result.verdict, result.why, [])
        suites.append(Suite("brownout gate", result.started_at, [Case("brownout gate", "verdict", problem=problem)]))
    return write_whole(folder / "junit.xml", junit_xml(suites))


def _suite(result: Result, experiment: ExperimentResult, name: str) -> Suite:
    cases = [*_runs(experiment, name), *_gates(experiment, name), *_compared(experiment, name)]
    if not experiment.passed and not any(case.problem for case in cases):
        problem = _verdict_problem(experiment.verdict, experiment.why, _reasons(experiment))
        cases.append(Case(name, "verdict", problem=problem))
    properties = {
        "target": experiment.target,
        "seeds": seeds_text(experiment.runs),
        "command": result.command,
        "machine": result.machine,
        "version": result.version,
    }
    started_at = experiment.runs[0].started_at if experiment.runs else result.started_at
    return Suite(name, started_at, cases, properties)


def _runs(experiment: ExperimentResult, name: str) -> Iterator[Case]:
    for run in experiment.runs:
        output = "\n".join(
            [f"{VERDICTS.get(run.verdict, run.verdict)} after {time_text(run.duration_s)}", *_facts(run)]
        )
        problem = None if experiment.passed else _run_problem(run)
        yield Case(name, run_name(experiment, run), run.duration_s, problem, output)


def _run_problem(run: PlayedRun) -> Problem | None:
    """Why a run did not end as planned. What its gates say is in their testcases."""
    message = run.why[0] if run.why else VERDICTS.get(run.verdict, run.verdict)
    text = "\n".join([*run.why, *_facts(run)]) or message
    if run.verdict in ("interrupted", "aborted", "failed"):
        return Problem("error", run.verdict.capitalize(), message, text)
    if run.verdict in ("metastable", "overloaded") and run.side == "head":
        return Problem("failure", run.verdict.capitalize(), message, text)
    return None


def _facts(run: PlayedRun) -> list[str]:
    facts = [f"doubt: {doubt}" for doubt in run.doubts]
    for label, value in (("folder", run.folder), ("report", run.report), ("play it again", run.command)):
        facts += [f"{label}: {value}"] if value else []
    return facts


def _gates(experiment: ExperimentResult, name: str) -> Iterator[Case]:
    for gate in experiment.gates:
        classname = f"{name}.steady_state" if gate.steady_state else name
        yield Case(classname, gate.text, problem=_gate_problem(experiment, gate), output=gate.why)


def _gate_problem(experiment: ExperimentResult, gate: GateResult) -> Problem | None:
    if gate.verdict == "pass":
        return None
    lines = [gate.why, "", f"{gate.title or gate.measure}: {gate_value_text(gate)}"]
    if len(gate.values) > 1:
        lines.append("each run: " + ", ".join(value_text(value, gate.unit) for value in gate.values))
    sentence = f"{gate.why.rstrip('.')}. {experiment.sentence}" if experiment.sentence else gate.why
    failed = gate.verdict == "fail"
    message = sentence if failed else gate.why
    text = "\n".join([*lines, *_reasons(experiment)])
    return Problem("failure" if failed else "error", _KINDS[gate.verdict], message, text)


def _compared(experiment: ExperimentResult, name: str) -> Iterator[Case]:
    found = experiment.comparison
    if found is None:
        return
    for measure in found.judged:
        case_name = f"{measure_text(measure)}: no regression"
        problem = None
        if measure.verdict != "pass":
            tag, kind = ("failure", "Regression") if measure.verdict == "fail" else ("error", "Inconclusive")
            text = "\n".join([measure.why, "", *_change_lines(measure, found.base), *_reasons(experiment)])
            problem = Problem("failure" if tag == "failure" else "error", kind, measure.why, text)
        yield Case(f"{name}.comparison", case_name, problem=problem, output=measure.why)
    if not found.measures and (found.note or found.verdict != "pass"):
        why = found.note or "; ".join(found.why) or "nothing was compared"
        problem = None if experiment.passed else Problem("error", "Inconclusive", why, why)
        yield Case(f"{name}.comparison", f"compared with {found.base}", problem=problem, output=why)


def _change_lines(measure: MeasureChange, base: str) -> list[str]:
    change, ends = change_text(measure)
    here, there = values_text(measure)
    return [
        f"{measure.title or measure.measure}: {here}, base ({base}): {there}",
        f"change: {change}" + (f", interval {ends}" if ends else ""),
        f"accepted: {accepted_text(measure)}; would have been found with 99%: {detectable_text(measure)}",
    ]


def _reasons(experiment: ExperimentResult) -> list[str]:
    """What broke, what helps and how to play it again: the end of each problem's text."""
    lines = ["", experiment.sentence] if experiment.sentence else []
    if experiment.failures:
        lines += ["failed calls, by reason:", *(f"- {failure}" for failure in experiment.failures)]
    if experiment.helps:
        lines.append(f"what helps: {experiment.helps}")
    if experiment.commands:
        lines += ["", "play it again:", *(f"  {command}" for command in experiment.commands)]
    return lines


def _verdict_problem(verdict: str, why: Sequence[str], reasons: Sequence[str]) -> Problem:
    """The problem of a verdict that no run, gate or measure says."""
    message = why[0] if why else VERDICTS.get(verdict, verdict)
    text = "\n".join([*why, *reasons]) or message
    if verdict == "fail":
        return Problem("failure", "Violated", message, text)
    return Problem("error", verdict.capitalize(), message, text)
