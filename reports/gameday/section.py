"""The part `exercise` of report.json: truth and beliefs, times, what people did and said, and the calls that waited.

Its times are seconds since the start of the exercise, as people saw them on the wall; `began_s` is that start on the
clock of the report.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from reports.gameday.exercise import Exercise, Operated, Prompt, Said
from reports.gameday.in_record import began_ns, exercise_in
from reports.gameday.review import belief_rows, period_rows, time_rows, truth_rows
from reports.gameday.times import false_notices, people_times, system_times
from reports.history.calls import Call
from reports.history.encounters import Encounter
from reports.history.evidence import Evidence
from reports.record.reader import Record
from reports.waterfall.calls import call_reports, encounter_of, key_text

__all__ = ["KEPT", "WORST_CALLS", "exercise_section"]

KEPT: Final = 2_000
"""How many entries of each list report.json has, the first ones. `left_out` counts the others."""

WORST_CALLS: Final = 3
"""How many calls are shown beside the worst failovers."""

_T = TypeVar("_T")


def exercise_section(record: Record, evidence: Evidence, data: dict[str, Any]) -> dict[str, Any] | None:
    """The section; None without an exercise. `data`: the rest of the report. Problems are added to its notes."""
    exercise, zero_ns = exercise_in(record), began_ns(record)
    if exercise is None or zero_ns is None:
        return None
    data["notes"] += exercise.problems
    began_s = record.seconds(zero_ns)
    section = _facts(exercise, began_s, data)
    section["worst_calls"] = call_reports(evidence, _worst(evidence, data))
    return section


def _facts(exercise: Exercise, began_s: float, data: dict[str, Any]) -> dict[str, Any]:
    plan, left_out = exercise.plan, dict[str, int]()
    until_s = exercise.last_s if exercise.ended_s is None else exercise.ended_s

    def kept(name: str, rows: Sequence[_T]) -> list[_T]:
        if len(rows) > KEPT:
            left_out[name] = len(rows) - KEPT
        return list(rows[:KEPT])

    wrong = set(false_notices(exercise))
    notices = [{**_said(one), "false": index in wrong} for index, one in enumerate(exercise.notices)]
    times = [*people_times(exercise), *system_times(exercise, data.get("windows") or [])]
    return {
        "name": plan.name,
        "title": plan.title,
        "source": plan.source,
        "family": plan.family or "",
        "drawn": plan.drawn,
        "briefing": plan.briefing,
        "description": plan.description,
        "length_s": plan.length_s,
        "began_s": began_s,
        "started": exercise.started,
        "ended": exercise.ended_s is not None,
        "ended_why": exercise.ended_why,
        "duration_s": until_s,
        "held_s": exercise.held_s(-math.inf, math.inf),
        "aborted": exercise.aborted,
        "restored": {
            "verified": exercise.restored,
            "text": exercise.restored_text,
            "t_s": exercise.restored_s,
        },
        "people": [{"name": name, "roles": roles} for name, roles in kept("people", list(exercise.people.items()))],
        "truth": kept("truth", truth_rows(exercise)),
        "periods": kept("periods", period_rows(exercise)),
        "notices": kept("notices", notices),
        "false_notices": len(wrong),
        "beliefs": kept("beliefs", belief_rows(exercise)),
        "times": kept("times", time_rows(times)),
        "operations": kept("operations", [_operation(one) for one in exercise.operations]),
        "questions": kept("questions", [_question(one) for one in exercise.questions]),
        "hints": kept("hints", [_said(one) for one in exercise.hints]),
        "notes": kept("notes", [_said(one) for one in exercise.notes]),
        "actions": kept("actions", [_said(one) for one in exercise.actions]),
        "orders": kept("orders", [_said(one) for one in exercise.orders]),
        "warnings": kept("warnings", [_said(one) for one in exercise.warnings]),
        "findings": kept(
            "findings",
            [
                {"id": one.id, "text": one.text, "found": one.t_s is not None, "t_s": one.t_s, "who": one.who}
                for one in exercise.findings
            ],
        ),
        "steps": kept(
            "steps",
            [
                {"id": one.id, "label": one.label, "at_s": one.at_s, "state": exercise.steps.get(one.id, "not played")}
                for one in plan.steps
            ],
        ),
        "left_out": left_out,
        "problems": exercise.problems,
    }


def _said(one: Said) -> dict[str, Any]:
    return {"t_s": one.t_s, "who": one.who, "role": one.role, "text": one.text}


def _operation(one: Operated) -> dict[str, Any]:
    return {
        "n": one.n,
        "t_s": one.t_s,
        "who": one.who,
        "text": one.text,
        "operation": one.operation,
        "arguments": {str(key): str(value) for key, value in one.arguments.items()},
        "ok": one.ok,
        "repairs": list(one.repairs),
        "undone_s": one.undone_s,
    }


def _question(one: Prompt) -> dict[str, Any]:
    answer, within_s = one.answer, one.answer_within_s
    after_s = math.inf if answer is None else answer.t_s - one.t_s
    return {
        "id": one.id,
        "t_s": one.t_s,
        "who": one.who,
        "text": one.text,
        "answer_within_s": within_s,
        "answered": None if answer is None else _said(answer),
        "answered_after_s": after_s,
        "in_time": None if within_s is None else after_s <= within_s,
    }


def _worst(evidence: Evidence, data: dict[str, Any]) -> list[tuple[Call, Encounter | None]]:
    """The calls, sent while a fault was active, whose client waited longest in one piece, without the failovers.

    A slow replica interrupts no call, so that there may be no failover at all.
    """
    shown = {f"{one['session']}/{one['agent']}#{one['turn']}" for one in data["failovers"]}
    calls = [call for call in evidence.calls.calls if call.phase == "fault" and key_text(call) not in shown]
    calls.sort(key=lambda call: (-_waited(call), call.sent_s))
    return [(call, encounter_of(evidence, call)) for call in calls[:WORST_CALLS]]


def _waited(call: Call) -> float:
    first = call.ttft_s if math.isfinite(call.ttft_s) else call.end_s - call.sent_s
    return max(first, call.max_gap_s) if math.isfinite(call.max_gap_s) else first
