"""JUnit XML from suites and cases, in the form that GitLab, Jenkins and the usual GitHub actions read.

The elements and attributes are those of the xUnit schema of Jenkins (junit-10.xsd), with three rules beyond it:

- the times of the cases of a suite sum to the time of the suite, and these to the time of the file;
- no two cases of a suite have the same class and name: GitLab keeps the first only;
- the timestamp is UTC without an offset: the schema of Ant refuses one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal
from xml.etree import ElementTree

__all__ = ["Case", "Problem", "Suite", "junit_xml"]

_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""
_ZONE: Final = re.compile(r"(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?$")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a case did not pass. `failure`: what it says is violated; `error`: it could not be decided or completed.

    `kind`: one word, as `Violated` or `Inconclusive`. `message`: one sentence. `text`: all that is known.
    """

    tag: Literal["failure", "error"]
    kind: str
    message: str
    text: str


@dataclass(frozen=True, slots=True)
class Case:
    """One testcase. `seconds`: how long it took. `output`: shown where it passed."""

    classname: str
    name: str
    seconds: float = 0.0
    problem: Problem | None = None
    output: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """One testsuite. `started_at`: ISO 8601, UTC. `properties`: those with an empty value are left out."""

    name: str
    started_at: str
    cases: Sequence[Case]
    properties: Mapping[str, str] = field(default_factory=dict)


def junit_xml(suites: Sequence[Suite]) -> bytes:
    """The content of junit.xml, UTF-8. Characters that XML cannot hold become U+FFFD."""
    root = ElementTree.Element("testsuites")
    total_ms = 0
    for suite in suites:
        total_ms += _append(root, suite)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", _seconds(total_ms))
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _append(root: ElementTree.Element, suite: Suite) -> int:
    """Add a suite; returns its time in milliseconds."""
    element = ElementTree.SubElement(root, "testsuite", name=_clean(suite.name), timestamp=_without_zone(suite))
    properties = ElementTree.SubElement(element, "properties")
    for name, value in suite.properties.items():
        if value:
            ElementTree.SubElement(properties, "property", name=name, value=_clean(value))
    taken: set[tuple[str, str]] = set()
    total_ms = 0
    for case in suite.cases:
        total_ms += _append_case(element, case, taken)
    tags = [case.problem.tag for case in suite.cases if case.problem is not None]
    counts = {"tests": len(suite.cases), "failures": tags.count("failure"), "errors": tags.count("error"), "skipped": 0}
    element.attrib |= {name: str(count) for name, count in counts.items()}
    element.set("time", _seconds(total_ms))
    return total_ms


def _append_case(suite: ElementTree.Element, case: Case, taken: set[tuple[str, str]]) -> int:
    """Add a case; returns its time in milliseconds. `taken`: classes and names of the cases before it."""
    classname, name = _clean(case.classname), _clean(case.name)
    number = 1
    while (classname, name) in taken:
        number += 1
        name = f"{_clean(case.name)} ({number})"
    taken.add((classname, name))
    known = math.isfinite(case.seconds) and case.seconds > 0
    time_ms = round(case.seconds * 1000) if known else 0
    element = ElementTree.SubElement(suite, "testcase", classname=classname, name=name, time=_seconds(time_ms))
    if case.problem is not None:
        its = case.problem
        message = _clean(its.message)
        ElementTree.SubElement(element, its.tag, type=its.kind, message=message).text = _clean(its.text)
    elif case.output:
        ElementTree.SubElement(element, "system-out").text = _clean(case.output)
    return time_ms


def _seconds(time_ms: int) -> str:
    return f"{time_ms // 1000}.{time_ms % 1000:03d}"


def _without_zone(suite: Suite) -> str:
    """`2027-01-15T07:59:57`, in UTC; a text that is no time stays as it is."""
    try:
        at = datetime.fromisoformat(suite.started_at)
    except ValueError:
        return _clean(suite.started_at)
    if at.tzinfo is not None:
        at = at.astimezone(UTC)
    return _ZONE.sub("", at.isoformat(timespec="seconds"))


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
