"""The exercise of a record, completed by what the record knows of its faults."""

from __future__ import annotations

import json
from pathlib import Path

from reports.gameday.in_record import exercise_in
from reports.record.reader import read_record
from tests.support.exercise_records import BEGAN_S, exercise_run, fact, open_exercise
from tests.support.hand_records import hand_run, injected


def test_times_count_from_the_start_of_the_exercise(tmp_path: Path) -> None:
    exercise = exercise_in(read_record(exercise_run(tmp_path / "run").write()))
    assert exercise is not None
    assert [round(one.begin_s, 3) for one in exercise.faults] == [35.1, 65.1]
    assert exercise.ended_s == 90.0
    assert exercise.people == {"Mia": ["gamemaster"], "Ada": ["responder"], "Bo": ["audience"]}


def test_a_record_without_facts_has_no_exercise(tmp_path: Path) -> None:
    assert exercise_in(read_record(hand_run(tmp_path / "run").write())) is None


def test_a_fault_that_another_program_injected_and_reverted_is_true_too(tmp_path: Path) -> None:
    record = hand_run(tmp_path / "run")
    open_exercise(record)
    injected(record, "h1", 40.0, 51.0)
    fact(record, 45.0, "belief", "Ada", n=1, cause="pool_lost", component="cloud:gcp")
    exercise = exercise_in(read_record(record.write()))
    assert exercise is not None
    (fault,) = exercise.faults
    assert (fault.cause, fault.components[-1]) == ("pool_lost", "cloud:gcp")
    assert fault.begin_s == 40.1 - BEGAN_S
    assert exercise.beliefs[0].verdict == "right"


def test_the_revert_of_a_process_that_was_killed_is_that_of_the_record(tmp_path: Path) -> None:
    record = exercise_run(tmp_path / "run")
    record.events = [one for one in record.events if one.get("event") not in ("reverted", "ended", "restored")]
    exercise = exercise_in(read_record(record.write()))
    assert exercise is not None
    assert exercise.ended_s is None
    assert [one.ended_by for one in exercise.faults] == ["repair", ""]
    assert exercise.faults[1].end_s is not None


def test_damaged_facts_are_named_and_the_others_used(tmp_path: Path) -> None:
    path = exercise_run(tmp_path / "run").write()
    with (path / "events.jsonl").open("a") as file:
        at = json.loads((path / "events.jsonl").read_text().splitlines()[0])["at"]
        file.write(json.dumps({"at": at, "type": "exercise", "event": "belief", "data": {"n": []}}) + "\n")
        file.write(json.dumps({"at": at, "type": "exercise", "event": "nothing"}) + "\n")
    record = read_record(path)
    exercise = exercise_in(record)
    assert exercise is not None
    assert len(exercise.beliefs) == 2
    assert any("'belief'" in problem for problem in exercise.problems)
    assert any("events.jsonl" in note for note in record.notes)
