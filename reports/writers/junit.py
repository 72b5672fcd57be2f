"""junit.xml: one testcase per gate. `failure`: the gate is violated; `error type="Inconclusive"`: it cannot be judged.

The testcase `run completed` has the time of the run, all others have none: the times sum to the time of the run. It is
an error where the run was interrupted, failed or was stopped by a guardrail. A run whose stack stayed down after the
fault was gone has one more testcase, a failure. So neither lets a build pass. Nor does a gateway that is not ours and
cannot carry the load, which has one more testcase: a failure if its own process was the limit, else an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from reports.explanation.words import failure_text, fault_text
from reports.report.build import Report
from reports.shared.units import duration_text
from reports.shared.whole_file import write_whole
from reports.writers.junit_xml import Case, Problem, Suite, junit_xml

__all__ = ["write_junit"]

_GROUPS: Final = 5
"""Groups of failed calls that are listed."""


def write_junit(report: Report, folder: Path) -> Path:
    """Write `junit.xml` into `folder`. Raises OSError."""
    run = report.data["run"]
    properties = {name: str(run[name]) for name in ("stack", "seed", "command") if run[name] is not None}
    suite = Suite(run["name"], run["started_at"], list(_cases(report)), properties)
    return write_whole(folder / "junit.xml", junit_xml([suite]))


def _cases(report: Report) -> Iterator[Case]:
    data, name = report.data, report.data["run"]["name"]
    yield _run(report)
    reasons = _reasons(data)
    for section, classname in (("steady_state", f"{name}.steady_state"), ("gates", name)):
        for gate in data[section]:
            yield Case(classname, gate["text"], problem=_problem(gate, reasons), output=gate["why"])
    if report.verdict.verdict in ("metastable", "overloaded"):
        kind, why = report.verdict.verdict.capitalize(), data["metastability"]["why"]
        yield Case(name, "stack recovered", problem=Problem("failure", kind, why, why))
    if (carried := data.get("carrying")) is not None:
        text = f"{carried['text']}\n\nwhat helps: {carried['helps']}"
        problem = (
            Problem("failure", "Violated", carried["text"], text)
            if carried["limit"] == "gateway"
            else Problem("error", "Inconclusive", carried["text"], text)
        )
        yield Case(name, "gateway carries the load", problem=problem)


def _run(report: Report) -> Case:
    run, verdict = report.data["run"], report.verdict
    problem = None
    if verdict.verdict in ("interrupted", "failed", "aborted"):
        problem = Problem("error", verdict.verdict.capitalize(), verdict.why[0], "\n".join(verdict.why))
    seed = "" if run["seed"] is None else f", seed {run['seed']}"
    output = f"{duration_text(run['duration_s'])}{seed}"
    return Case(run["name"], "run completed", run["duration_s"], problem, output)


def _problem(gate: dict[str, Any], reasons: str) -> Problem | None:
    if gate["verdict"] == "pass":
        return None
    if gate["verdict"] == "fail":
        message = f"{gate['why']}. {reasons.splitlines()[0]}"
        return Problem("failure", "Violated", message, f"{gate['why']}\n\n{reasons}")
    return Problem("error", "Inconclusive", gate["why"], gate["traceback"] or gate["why"])


def _reasons(data: dict[str, Any]) -> str:
    """What broke, and the largest groups of failed calls: the text of each failure."""
    groups = [f"- {failure_text(group)}" for group in data["failures"][:_GROUPS]]
    faults = [f"fault: {fault_text(fault)}" for fault in data["faults"]]
    heading = ["failed calls, by reason:"] if groups else []
    return "\n".join([data["explanation"]["sentence"], *faults, *heading, *groups])
