"""What happened in an exercise, on three lanes: faults, the system, people. In the order of time. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from reports.gameday.words import span_text

__all__ = ["LANES", "MOST_SYSTEM", "Entry", "entries_of", "shown_entries"]

Lane = Literal["faults", "system", "people"]
LANES: Final[tuple[Lane, ...]] = ("faults", "system", "people")

Data = Mapping[str, Any]

MOST_SYSTEM: Final = 300
"""Changes of health that are shown, the first ones: a flapping replica makes thousands."""

_TRANSITIONS: Final = {
    "ejected": ("ejected", "ejected {}"),
    "readmitted": ("readmitted", "readmitted {}"),
    "breaker_open": ("ejected", "opened the circuit breaker of {}"),
    "breaker_half_open": ("readmitted", "half opened the circuit breaker of {}"),
    "breaker_closed": ("readmitted", "closed the circuit breaker of {}"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `kind`: how it is drawn. `text` may be what a person wrote: it is not escaped.

    `end_s`: of what lasts, else None; infinite if no end is recorded.
    """

    t_s: float
    lane: Lane
    kind: str
    who: str
    text: str
    end_s: float | None = None


def entries_of(data: Data) -> list[Entry]:
    """All entries. `data`: the content of report.json, with an exercise."""
    found = [*_faults(data["exercise"]), *_system(data), *_people(data["exercise"])]
    return sorted(found, key=lambda entry: (entry.t_s, LANES.index(entry.lane)))


def shown_entries(entries: list[Entry], most: int) -> tuple[list[Entry], int]:
    """At most `most` entries, and how many are left out: of the notes, the last ones, before anything else."""
    over = len(entries) - most
    if over <= 0:
        return entries, 0
    notes = [index for index, entry in enumerate(entries) if entry.kind == "note"]
    dropped = set(notes[max(0, len(notes) - over) :])
    kept = [entry for index, entry in enumerate(entries) if index not in dropped][:most]
    return kept, len(entries) - len(kept)


def _faults(exercise: Data) -> Iterator[Entry]:
    for one in exercise["truth"]:
        end_s = math.inf if one["end_s"] is None else float(one["end_s"])
        text = f"{one['fault']}: {one['text']}"
        yield Entry(one["begin_s"], "faults", "fault", "", text, end_s)
        if math.isfinite(end_s):
            yield Entry(end_s, "faults", "reverted", "", f"{one['fault']} {one['ended_text']}")


def _system(data: Data) -> Iterator[Entry]:
    zero_s = float(data["exercise"]["began_s"])
    begun = {one["fault"]: one["begin_s"] for one in data["exercise"]["truth"]}
    repaired = {one["fault"]: one["end_s"] for one in data["exercise"]["truth"] if one["ended_by"] == "repair"}
    for fault in data["faults"]:
        after_s, begin_s = fault["detected_after_s"], fault["stages"].get("injected")
        if _is_time(after_s) and begin_s is not None:
            at_s = max(begin_s + after_s - zero_s, begun.get(fault["id"], 0.0))  # it is confirmed a little later
            if at_s >= repaired.get(fault["id"], math.inf):
                continue  # the gateway reacted to the repair
            yield Entry(at_s, "system", "detected", "", f"detected {fault['id']}, {span_text(after_s)} after its begin")
    for call in data["failovers"]:
        if _is_time(call.get("failover_s")) and _is_time(call.get("first_token_after_s")):
            at_s = call["first_token_after_s"] - zero_s
            to = f" to {call['to_replica']}" if call.get("to_replica") else ""
            yield Entry(at_s, "system", "failover", "", f"failed a call over{to} after {span_text(call['failover_s'])}")
    for change in data["health"][:MOST_SYSTEM]:
        known = _TRANSITIONS.get(change["transition"])
        if known is not None:
            why = f": {change['why']}" if change["why"] else ""
            yield Entry(change["at_s"] - zero_s, "system", known[0], "", known[1].format(change["replica"]) + why)


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _people(exercise: Data) -> Iterator[Entry]:
    for one in exercise["notices"]:
        kind = "false notice" if one["false"] else "notice"
        yield _said(one, kind, "saw something" + (" (nothing was played)" if one["false"] else ""))
    for one in exercise["beliefs"]:
        kind = "right belief" if one["verdict"] == "right" else "belief"
        about = f"believed: {one['cause_label']}, {one['component_label']} ({one['verdict_text']})"
        yield _said(one, kind, about)
    for one in exercise["operations"]:
        done = "did" if one["ok"] else "tried"
        repaired = f" (this repaired {', '.join(one['repairs'])})" if one["repairs"] else ""
        failed = "" if one["ok"] else " (it failed)"
        kind = "repair" if one["repairs"] else "operation"
        yield Entry(one["t_s"], "people", kind, one["who"], f"{done}: {one['text']}{repaired}{failed}")
        if one["undone_s"] is not None:
            yield Entry(one["undone_s"], "people", "operation", "", f"undone: {one['text']}")
    for one in exercise["questions"]:
        yield _said(one, "question", "asked")
        if one["answered"] is not None:
            yield _said(one["answered"], "answer", "answered")
    for key, kind, words in (
        ("hints", "hint", "hint"),
        ("notes", "note", "note"),
        ("actions", "action", "action to do"),
        ("orders", "order", "ordered"),
        ("warnings", "warning", ""),
    ):
        for one in exercise[key]:
            yield _said(one, kind, words)
    yield from _ends(exercise)


def _said(one: Data, kind: str, words: str) -> Entry:
    text = str(one["text"]).strip()
    return Entry(one["t_s"], "people", kind, one["who"], ": ".join(part for part in (words, text) if part))


def _ends(exercise: Data) -> Iterable[Entry]:
    if exercise["started"]:
        yield Entry(0.0, "people", "state", "", "the exercise started")
    if exercise["ended"]:
        why = f": {exercise['ended_why']}" if exercise["ended_why"] else ""
        yield Entry(exercise["duration_s"], "people", "state", "", f"the exercise ended{why}")
