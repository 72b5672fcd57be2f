"""What comes after the end of a scenario or before its branch, and ids that are given twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chaos.experiment.draft import mapping
from chaos.gameday.scenario.synthetic import Entry, seconds
from reports.shared.document import Document, Where
from reports.shared.documents import duration_text
from reports.shared.errors import Problem

__all__ = ["check_ids", "check_times"]

_TIMED = (("hints", "after", "the hint"), ("events", "at", "the event"), ("branches", "at", "the branch"))


def check_times(document: Document, entries: list[Entry]) -> Iterator[Problem]:
    """What would never happen: it comes after the end, or before the branch that it belongs to."""
    length_s = seconds(document.data.get("length"))
    for entry in entries:
        yield from _check(document, (*entry.path, "at"), "the fault", entry.at_s, length_s, _begin(document, entry))
    for key, time, what in _TIMED:
        for path, raw in _listed(document.data, key, ()):
            yield from _check(document, (*path, time), what, seconds(raw.get(time)), length_s, None)
    for path, branch in _listed(document.data, "branches", ()):
        begin_s = seconds(branch.get("at"))
        for key, time, what in _TIMED[:2]:
            for its, raw in _listed(branch, key, path):
                yield from _check(document, (*its, time), what, seconds(raw.get(time)), length_s, begin_s)
        if branch.get("end") is True:
            for key in ("faults", "hints", "events"):
                if branch.get(key):
                    what = f"the exercise ends with this branch, so its {key} never come"
                    yield document.problem((*path, key), what, f"remove {key}:, or end: true")


def check_ids(document: Document, entries: list[Entry]) -> Iterator[Problem]:
    """Two faults with one id."""
    first: dict[str, Entry] = {}
    for entry in entries:
        name = entry.raw.get("id")
        if not isinstance(name, str):
            continue
        if name in first:
            line = document.line((*first[name].path, "id"))
            what = f'two faults have the id "{name}" (the other one on line {line})'
            yield document.problem((*entry.path, "id"), what, "give each its own, or remove it")
        first.setdefault(name, entry)


def _begin(document: Document, entry: Entry) -> float | None:
    """When the branch of a fault is taken; None: it has none."""
    if entry.branch is None:
        return None
    return seconds(mapping(document.data["branches"][entry.branch]).get("at"))


def _check(
    document: Document, path: Where, what: str, at_s: float | None, length_s: float | None, begin_s: float | None
) -> Iterator[Problem]:
    if at_s is None:
        return  # the format of the file says so
    if length_s is not None and at_s >= length_s:
        how = "comes at" if at_s == length_s else f"comes at {duration_text(at_s)}, after"
        yield document.problem(
            path,
            f"{what} {how} the end of the exercise ({duration_text(length_s)})",
            f"let it come before {duration_text(length_s)}, or make length: longer",
        )
    elif begin_s is not None and at_s < begin_s:
        yield document.problem(
            path,
            f"{what} comes at {duration_text(at_s)}, before its branch is taken ({duration_text(begin_s)})",
            f"let it come at {duration_text(begin_s)} or later: all times count from the start of the exercise",
        )


def _listed(data: dict[str, Any], key: str, path: Where) -> Iterator[tuple[Where, dict[str, Any]]]:
    given = data.get(key)
    for index, raw in enumerate(given if isinstance(given, list) else []):
        if isinstance(raw, dict):
            yield (*path, key, index), raw
