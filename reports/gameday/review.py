"""What everybody sees when an exercise is over: the truth, what people believed, and how fast they were.

The times of people are made of the facts alone, at once. The system's times come from the analysis of the record, which
takes a few seconds more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reports.gameday.causes import CAUSES, component_text
from reports.gameday.exercise import Exercise
from reports.gameday.judging import VERDICTS
from reports.gameday.periods import periods_of
from reports.gameday.reading import read_exercise
from reports.gameday.times import WHAT, Time, people_times, system_times
from reports.gameday.words import ended_text

__all__ = ["belief_rows", "period_rows", "time_rows", "times_at_once", "times_of_report", "truth_rows"]


def times_at_once(rows: Iterable[Mapping[str, Any]], now_s: float) -> list[dict[str, Any]]:
    """The times of people, from the facts so far, each with `t_s`; those of the system are not measured yet."""
    exercise = read_exercise(rows, now_s)
    return _finite(time_rows([*people_times(exercise), *system_times(exercise, None)]))


def times_of_report(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All times of an analysis. `report`: the content of report.json; empty where it has no exercise."""
    section = report.get("exercise")
    times = section.get("times") if isinstance(section, Mapping) else None
    return _finite(times or ())


def truth_rows(exercise: Exercise) -> list[dict[str, Any]]:
    """Each fault that was played. `component`: the narrowest that is right. Ids, and the same as people read them."""
    return [
        {
            "fault": one.fault,
            "kind": one.kind,
            "text": one.text,
            "targets": list(one.targets),
            "cause": one.cause,
            "cause_label": CAUSES.get(one.cause, one.cause),
            "component": one.components[0] if one.components else "",
            "component_label": ", ".join(component_text(name) for name in one.components),
            "components": list(one.components),
            "begin_s": one.begin_s,
            "end_s": one.end_s,
            "ended_by": one.ended_by,
            "ended_text": ended_text(one.ended_by, ended=one.end_s is not None),
            "operation": one.operation,
        }
        for one in exercise.faults
    ]


def belief_rows(exercise: Exercise) -> list[dict[str, Any]]:
    """What people believed, in the order of time, with the verdict of each."""
    return [
        {
            "n": one.n,
            "who": one.who,
            "t_s": one.t_s,
            "text": one.text,
            "cause": one.cause,
            "cause_label": CAUSES.get(one.cause, one.cause),
            "component": one.component,
            "component_label": component_text(one.component),
            "verdict": one.verdict,
            "verdict_text": VERDICTS[one.verdict],
        }
        for one in exercise.beliefs
    ]


def time_rows(times: Sequence[Time]) -> list[dict[str, Any]]:
    """Times by period, people first. `what`: with the number of the period, if there are several."""
    order = {"people": 0, "system": 1, "alerts": 2}
    several = len({time.period for time in times}) > 1
    return [
        {
            "period": time.period,
            "who": time.who,
            "what": WHAT[time.what] + (f", period {time.period}" if several else ""),
            "seconds": time.seconds,
            "text": time.text,
        }
        for time in sorted(times, key=lambda one: (one.period, order[one.who]))
    ]


def _finite(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """As JSON has it: what never happened has no number, its text says so."""
    return [{**row, "seconds": row["seconds"] if _is_number(row["seconds"]) else None} for row in rows]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def period_rows(exercise: Exercise) -> list[dict[str, Any]]:
    """The fault periods."""
    return [
        {
            "number": period.number,
            "faults": [fault.fault for fault in period.faults],
            "begin_s": period.begin_s,
            "end_s": period.end_s,
        }
        for period in periods_of(exercise.faults)
    ]
