"""Entries of the three lanes."""

from __future__ import annotations

import copy
import math
from typing import Any

from reports.writers.postmortem.entries import Entry, entries_of, shown_entries


def test_the_lanes_have_faults_system_and_people_in_order_of_time(exercise_report: dict[str, Any]) -> None:
    entries = entries_of(exercise_report)
    assert [one.t_s for one in entries] == sorted(one.t_s for one in entries)
    kinds = {lane: {one.kind for one in entries if one.lane == lane} for lane in ("faults", "system", "people")}
    assert kinds["faults"] == {"fault", "reverted"}
    assert {"detected", "failover"} <= kinds["system"]
    people = {"notice", "false notice", "belief", "right belief", "operation", "repair", "question", "answer"}
    assert people | {"hint", "note", "action", "state"} == kinds["people"]


def test_changes_of_health_are_in_the_lane_of_the_system(exercise_report: dict[str, Any]) -> None:
    data = copy.deepcopy(exercise_report)
    changes = [("ejected", "5 errors"), ("breaker_closed", ""), ("panic_on", "")]
    data["health"] = [
        {"at_s": 45.0, "replica": "tpu-0", "pool": "tpu", "transition": name, "why": why} for name, why in changes
    ]
    texts = [one.text for one in entries_of(data) if one.lane == "system" and one.t_s == 40.0]
    assert texts == ["ejected tpu-0: 5 errors", "closed the circuit breaker of tpu-0"]


def test_a_fault_without_an_end_has_none(exercise_report: dict[str, Any]) -> None:
    data = copy.deepcopy(exercise_report)
    data["exercise"]["truth"][1]["end_s"] = None
    ends = [one.end_s for one in entries_of(data) if one.kind == "fault"]
    assert ends[1] == math.inf


def test_the_last_notes_are_left_out_before_anything_else() -> None:
    notes = [Entry(float(index), "people", "note", "Bo", str(index)) for index in range(8)]
    fault = Entry(9.0, "faults", "fault", "", "h1", 10.0)
    kept, left_out = shown_entries([*notes, fault], 5)
    assert left_out == 4
    assert [one.text for one in kept] == ["0", "1", "2", "3", "h1"]
