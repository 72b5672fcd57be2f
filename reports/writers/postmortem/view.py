"""The tables of a post-mortem as plain strings, the same in Markdown and on the page. Nothing is escaped here. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from reports.gameday.words import clock_text, span_text
from reports.shared.wording import target_text, value_text
from reports.writers.postmortem.entries import entries_of, shown_entries
from reports.writers.postmortem.summary import summary_sentences

__all__ = ["MOST_ROWS", "Table", "made_by", "postmortem_view"]

Data = Mapping[str, Any]
View = dict[str, Any]

MOST_ROWS: Final = 2_000
"""Rows of the table by time. Notes are left out first, and the page says how many."""

_WHO: Final = {"people": "People", "system": "System", "alerts": "Alerts"}
_NUMBERS: Final = (
    ("calls", "calls"),
    ("calls_failed", "calls that failed"),
    ("slo_attainment", "good calls"),
    ("sessions_lost", "sessions lost"),
    ("ttft.p95", "time to first token, 95th percentile"),
    ("shed", "calls shed"),
)
_PHASES: Final = (("before", "baseline"), ("during", "fault"), ("after", "recovery"))
_TODO: Final = re.compile(r"\s*(?:todo\b|to do:|action:)", re.IGNORECASE)
"""How a note begins that is an action to do."""


class Table(NamedTuple):
    """A table. `empty`: what is said where it has no row."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    empty: str


def postmortem_view(data: Data) -> View:
    """All parts. `data`: the content of report.json, with an exercise."""
    exercise = data["exercise"]
    entries, left_out = shown_entries(entries_of(data), MOST_ROWS)
    left_out += sum(exercise["left_out"].values())
    return {
        "title": exercise["title"] or exercise["name"] or data["run"]["title"] or data["run"]["name"],
        "under": _under(data),
        "description": exercise["description"],
        "summary": summary_sentences(data),
        "entries": entries,
        "left_out": left_out,
        "by_time": Table(
            ("time", "lane", "who", "what"),
            [(clock_text(one.t_s), one.lane, one.who or "–", one.text) for one in entries],
            "Nothing is recorded.",
        ),
        "truth": _truth(exercise),
        "beliefs": _beliefs(exercise),
        "times": _times(exercise),
        "held_note": _held_note(exercise),
        "numbers": _numbers(data),
        "gates": Table(
            ("gate", "verdict", "value"),
            [(one["text"], one["verdict"], value_text(one["value"], one["unit"])) for one in data["gates"]],
            "",
        ),
        "findings": _findings(exercise),
        "operations": _operations(exercise),
        "questions": _questions(exercise),
        "notes": Table(
            ("time", "who", "note"),
            [(clock_text(one["t_s"]), one["who"] or "–", one["text"]) for one in exercise["notes"]],
            "Nobody wrote a note.",
        ),
        "actions": _actions(exercise),
        "people": Table(
            ("name", "role"),
            [(one["name"], ", ".join(one["roles"])) for one in exercise["people"]],
            "Nobody is recorded.",
        ),
        "problems": list(exercise["problems"]),
        "made_by": made_by(data),
    }


def made_by(data: Data) -> list[str]:
    """The commands: how it was played, and how this is made again."""
    played = [str(data["run"]["command"])] if data["run"]["command"] else []
    return [*played, f"brownout report {data['run']['folder']}"]


def _under(data: Data) -> str:
    run, exercise = data["run"], data["exercise"]
    drawn = exercise["drawn"]
    parts = [
        {"scenario": "scenario", "experiment": "experiment", "free": "free exercise"}.get(
            exercise["source"], "exercise"
        )
        + (f" {exercise['name']}" if exercise["name"] else ""),
        f"on {target_text(run, 'an unknown target')}",
        f"drawn with seed {drawn.get('seed')} from {drawn.get('family')}" if drawn else "",
        f"{str(run['started_at'])[:16].replace('T', ' ')} UTC",
    ]
    return ", ".join(part for part in parts if part)


def _truth(exercise: Data) -> Table:
    rows = [
        (
            one["fault"],
            one["text"],
            one["cause_label"],
            one["component_label"],
            f"{clock_text(one['begin_s'])} to {'-' if one['end_s'] is None else clock_text(one['end_s'])}",
            f"repaired by operation {one['operation']}"
            if one["ended_by"] == "repair" and one["operation"]
            else one["ended_text"],
        )
        for one in exercise["truth"]
    ]
    return Table(("fault", "what", "cause", "component", "when", "end"), rows, "No fault was played.")


def _beliefs(exercise: Data) -> Table:
    rows = [
        (
            clock_text(one["t_s"]),
            one["who"] or "–",
            one["cause_label"],
            one["component_label"],
            one["verdict_text"],
            one["text"] or "–",
        )
        for one in exercise["beliefs"]
    ]
    return Table(("time", "who", "cause", "component", "verdict", "in their words"), rows, "Nobody said what it was.")


def _times(exercise: Data) -> Table:
    rows = [(_WHO[one["who"]], one["what"], one["text"]) for one in exercise["times"]]
    return Table(("who", "what", "time"), rows, "No fault was played: there are no times.")


def _held_note(exercise: Data) -> str:
    clock = "Times count from the moment at which the first fault of a period was active, on the clock of the wall."
    held = span_text(exercise["held_s"])
    return clock + (f" The exercise was on hold for {held}: this counts too." if exercise["held_s"] >= 1 else "")


def _numbers(data: Data) -> Table:
    rows = []
    for name, title in _NUMBERS:
        measure = data["measures"].get(name)
        if measure is None:
            continue
        found = [measure["phases"].get(phase) for _, phase in _PHASES]
        cells = [
            "–" if one is None or one["value"] is None else value_text(one["value"], measure["unit"]) for one in found
        ]
        rows.append((title, *cells))
    return Table(("measure", *(f"{name} ({phase})" for name, phase in _PHASES)), rows, "Nothing was measured.")


def _findings(exercise: Data) -> Table:
    rows = [
        (
            one["text"] or one["id"],
            "found" if one["found"] else "NOT found",
            f"{clock_text(one['t_s'])}, {one['who'] or '-'}" if one["found"] else "–",
        )
        for one in exercise["findings"]
    ]
    return Table(("expected", "result", "marked"), rows, "No finding was expected.")


def _operations(exercise: Data) -> Table:
    rows = [
        (
            str(one["n"]),
            clock_text(one["t_s"]),
            one["who"] or "–",
            one["text"],
            _effect(one),
        )
        for one in exercise["operations"]
    ]
    return Table(("no.", "time", "who", "operation", "effect"), rows, "Nobody changed the target.")


def _effect(one: Data) -> str:
    if not one["ok"]:
        return "failed"
    effect = f"repaired {', '.join(one['repairs'])}" if one["repairs"] else "repaired nothing"
    return effect + (f"; undone at {clock_text(one['undone_s'])}" if one["undone_s"] is not None else "")


def _questions(exercise: Data) -> Table:
    return Table(
        ("time", "who asked", "question", "answer", "after"),
        [
            (
                clock_text(one["t_s"]),
                one["who"] or "–",
                one["text"],
                f"{one['answered']['who']}: {one['answered']['text']}" if one["answered"] else "no answer",
                _after(one),
            )
            for one in exercise["questions"]
        ],
        "Nobody asked anything.",
    )


def _after(one: Data) -> str:
    seconds = one["answered_after_s"]
    text = "never" if not isinstance(seconds, int | float) or math.isinf(seconds) else span_text(seconds)
    late = one["in_time"] is False
    return text + (f" (late: expected within {span_text(one['answer_within_s'])})" if late else "")


def _actions(exercise: Data) -> Table:
    """The actions that people recorded, and the notes that begin with `TODO`. The owner is who wrote it."""
    said: Sequence[Data] = [*exercise["actions"], *(one for one in exercise["notes"] if _TODO.match(str(one["text"])))]
    rows = [(one["text"], one["who"] or "–", "") for one in sorted(said, key=lambda one: float(one["t_s"]))]
    return Table(("action", "owner", "due"), rows, "")
