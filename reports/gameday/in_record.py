"""The exercise of a record: its facts, completed by what the record knows of the faults."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

from reports.gameday.causes import cause_of, components_of
from reports.gameday.exercise import Exercise, PlayedFault
from reports.gameday.reading import judge_beliefs, read_exercise
from reports.record.entries import FaultRecord
from reports.record.reader import Record

__all__ = ["began_ns", "exercise_in"]


def exercise_in(record: Record) -> Exercise | None:
    """The exercise; None if the record has none. Its times are seconds since its start (`began_ns`)."""
    zero_ns = began_ns(record)
    if zero_ns is None:
        return None
    rows: list[dict[str, Any]] = [{**row, "t_s": (int(row["at"]) - zero_ns) / 1e9} for row in record.exercise]
    shift_s = record.seconds(zero_ns)
    exercise = read_exercise(rows)
    if exercise.ended_s is None:
        exercise.last_s = max(exercise.last_s, record.end_s() - shift_s)
    _complete(exercise, record, shift_s)
    return exercise


def began_ns(record: Record) -> int | None:
    """The start of the exercise, unix nanoseconds: the first fact if it was not started; None without one."""
    started = (row["at"] for row in record.exercise if row["event"] == "started")
    first = (row["at"] for row in record.exercise)
    found = next(started, next(first, None))
    return None if found is None else int(found)


def _complete(exercise: Exercise, record: Record, shift_s: float) -> None:
    """Ends of faults that no fact has, and faults that another program injected."""
    known = {fault.id: fault for fault in record.faults}
    for index, played in enumerate(exercise.faults):
        fault = known.get(played.fault)
        if played.end_s is None and fault is not None and fault.reverted_s is not None:
            exercise.faults[index] = replace(played, end_s=fault.reverted_s - shift_s)
    told = {played.fault for played in exercise.faults}
    for fault in record.faults:
        if fault.injected_s is not None and fault.id not in told:
            exercise.faults.append(_played(fault, record, shift_s))
    exercise.faults.sort(key=lambda one: one.begin_s)
    judge_beliefs(exercise)


def _played(fault: FaultRecord, record: Record, shift_s: float) -> PlayedFault:
    pools: dict[str, list[str]] = defaultdict(list)
    clouds: dict[str, list[str]] = defaultdict(list)
    for replica in record.replicas:
        pools[replica.pool].append(replica.name)
        clouds[replica.cloud].append(replica.name)
    clouds.pop("", None)
    begin_s = fault.stages.get("confirmed", fault.injected_s or 0.0)
    return PlayedFault(
        fault=fault.id,
        step="",
        kind=fault.kind,
        text=f"{fault.kind} on {', '.join(fault.targets)}",
        targets=fault.targets,
        cause=cause_of(fault.kind, fault.targets, pools, [one.name for one in record.replicas], fault.params),
        components=components_of(fault.targets, pools, clouds, fault.params),
        begin_s=begin_s - shift_s,
        end_s=None if fault.reverted_s is None else fault.reverted_s - shift_s,
    )
