"""junit.xml: one testcase per gate. `failure`: the gate is violated; `error type="Inconclusive"`: it cannot be judged.

A run that was interrupted, failed or stopped by a guardrail has one more testcase, an error. A run whose stack stayed
down after the fault was gone has one more testcase, a failure. So neither lets a build pass. Nor does a gateway that is
not ours and cannot carry the load, which has one more testcase: a failure if its own process was the limit, else an
error.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from reports.explanation.words import failure_text, fault_text
from reports.report.build import Report
from reports.shared.whole_file import write_whole

__all__ = ["write_junit"]

_GROUPS: Final = 5
"""Groups of failed calls that are listed."""
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""


def write_junit(report: Report, folder: Path) -> Path:
    """Write `junit.xml` into `folder`. Raises OSError."""
    data, run = report.data, report.data["run"]
    suite = ElementTree.Element("testsuite", name=_clean(run["name"]), timestamp=run["started_at"])
    properties = ElementTree.SubElement(suite, "properties")
    for name in ("stack", "seed", "command"):
        if run[name] is not None:
            ElementTree.SubElement(properties, "property", name=name, value=_clean(str(run[name])))
    failures = errors = tests = 0
    for section in ("steady_state", "gates"):
        for gate in data[section]:
            tests += 1
            failures += gate["verdict"] == "fail"
            errors += gate["verdict"] == "inconclusive"
            classname = run["name"] if section == "gates" else f"{run['name']}.steady_state"
            _case(suite, classname, gate, run["duration_s"], _reasons(data))
    if report.verdict.verdict in ("interrupted", "failed", "aborted"):
        tests, errors = tests + 1, errors + 1
        case = ElementTree.SubElement(suite, "testcase", classname=_clean(run["name"]), name="run completed")
        _problem(
            case, "error", report.verdict.verdict.capitalize(), report.verdict.why[0], "\n".join(report.verdict.why)
        )
    if report.verdict.verdict in ("metastable", "overloaded"):
        tests, failures = tests + 1, failures + 1
        case = ElementTree.SubElement(suite, "testcase", classname=_clean(run["name"]), name="stack recovered")
        kind, why = report.verdict.verdict.capitalize(), data["metastability"]["why"]
        _problem(case, "failure", kind, why, why)
    if (carried := data.get("carrying")) is not None:
        own = carried["limit"] == "gateway"
        tests, failures, errors = tests + 1, failures + own, errors + (not own)
        case = ElementTree.SubElement(suite, "testcase", classname=_clean(run["name"]), name="gateway carries the load")
        tag, kind = ("failure", "Violated") if own else ("error", "Inconclusive")
        _problem(case, tag, kind, carried["text"], f"{carried['text']}\n\nwhat helps: {carried['helps']}")
    suite.attrib |= {"tests": str(tests), "failures": str(failures), "errors": str(errors), "skipped": "0"}
    suite.attrib["time"] = f"{run['duration_s']:.3f}"
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    path = folder / "junit.xml"
    return write_whole(path, ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def _reasons(data: dict[str, Any]) -> str:
    """What broke, and the largest groups of failed calls: the text of each failure."""
    groups = [f"- {failure_text(group)}" for group in data["failures"][:_GROUPS]]
    faults = [f"fault: {fault_text(fault)}" for fault in data["faults"]]
    heading = ["failed calls, by reason:"] if groups else []
    return "\n".join([data["explanation"]["sentence"], *faults, *heading, *groups])


def _case(suite: ElementTree.Element, classname: str, gate: dict[str, Any], seconds: float, reasons: str) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", classname=_clean(classname), name=_clean(gate["text"]), time=f"{seconds:.3f}"
    )
    if gate["verdict"] == "pass":
        ElementTree.SubElement(case, "system-out").text = _clean(gate["why"])
    elif gate["verdict"] == "fail":
        message = f"{gate['why']}. {reasons.splitlines()[0]}"
        _problem(case, "failure", "Violated", message, f"{gate['why']}\n\n{reasons}")
    else:
        _problem(case, "error", "Inconclusive", gate["why"], gate["traceback"] or gate["why"])


def _problem(case: ElementTree.Element, tag: str, kind: str, message: str, text: str) -> None:
    ElementTree.SubElement(case, tag, type=kind, message=_clean(message)).text = _clean(text)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
