"""The part `exercise` of report.json."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reports.analysis import analyse
from reports.gameday.section import KEPT
from tests.support.exercise_records import exercise_run, fact
from tests.support.hand_records import hand_run
from tests.support.paths import ROOT


def paths(value: Any, path: str) -> Iterator[str]:
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            dynamic = path in ("exercise.left_out", "exercise.operations[].arguments")
            yield from paths(item, f"{path}.{'*' if dynamic else key}")
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield from (one for one in paths(item, f"{path}[]") if one != f"{path}[]")


def test_each_field_of_the_exercise_is_documented(exercise_report: dict[str, Any]) -> None:
    schema = (ROOT / "docs" / "report-schema.md").read_text()
    documented = set(re.findall(r"^\| `(exercise[^`]*)`", schema, re.MULTILINE))
    found = {
        re.sub(r"^exercise\.(hints|notes|actions|warnings)\[\]", "exercise.*[]", one)
        for one in paths(exercise_report["exercise"], "exercise")
        if not one.startswith("exercise.worst_calls[]")
    }
    assert sorted(found - documented - {"exercise.left_out", "exercise.operations[].arguments.*"}) == []
    rare = {"exercise.left_out.*", "exercise.operations[].arguments.*"}
    assert sorted(documented - found - rare) == []


def test_times_operations_questions_and_findings_are_told(exercise_report: dict[str, Any]) -> None:
    exercise = exercise_report["exercise"]
    times = {(one["who"], one["what"]): one["seconds"] for one in exercise["times"]}
    assert round(times["people", "time to diagnose, period 1"], 3) == 6.0
    assert times["people", "time to notice, period 2"] == "never"
    assert times["system", "longest interruption of a call, period 1"] > 0.5
    assert times["alerts", "time to alert, period 1"] is None
    assert [one["repairs"] for one in exercise["operations"]] == [[], ["h1"]]
    assert exercise["questions"][0]["in_time"] is False
    assert [one["found"] for one in exercise["findings"]] == [True, False]
    assert exercise["false_notices"] == 1
    assert exercise["restored"]["verified"] is True
    assert exercise["steps"][0]["state"] == "played"


def test_calls_that_waited_are_shown_beside_the_failovers(exercise_report: dict[str, Any]) -> None:
    worst = exercise_report["exercise"]["worst_calls"]
    shown = {(one["session"], one["turn"]) for one in exercise_report["failovers"]}
    assert worst
    assert not shown & {(one["session"], one["turn"]) for one in worst}


def test_a_run_without_an_exercise_has_none_and_no_postmortem(tmp_path: Path) -> None:
    path = hand_run(tmp_path / "run").write()
    analyse(path)
    assert json.loads((path / "report.json").read_text())["exercise"] is None
    assert not list(path.glob("postmortem.*"))


def test_ten_thousand_notes_are_bounded_and_counted(tmp_path: Path) -> None:
    record = exercise_run(tmp_path / "run")
    for index in range(10_000):
        fact(record, 10.0 + index * 0.007, "note", "Bo", f"note {index}")
    data = analyse(record.write(), write=False).data["exercise"]
    assert len(data["notes"]) == KEPT
    assert data["left_out"] == {"notes": 10_002 - KEPT}


def test_the_exercise_of_a_killed_process_is_made_again_from_its_record(tmp_path: Path) -> None:
    record = exercise_run(tmp_path / "run")
    gone = ("ended", "restored", "finished")
    record.events = [one for one in record.events if one.get("event") not in gone and one.get("phase") != "end"]
    path = record.write()
    analyse(path)
    assert json.loads((path / "report.json").read_text())["exercise"]["ended"] is False
    text = (path / "postmortem.md").read_text()
    assert "The record ends before the end of the exercise" in text
    assert "does not say whether everything was reverted" in text
