"""What everybody sees when the exercise is over."""

from __future__ import annotations

import json
from typing import Any

from reports.gameday.reading import read_exercise
from reports.gameday.review import belief_rows, times_at_once, times_of_report, truth_rows
from tests.reports.gameday.test_times import TWO_PERIODS


def test_truth_beliefs_and_times_are_there_at_once() -> None:
    exercise = read_exercise(TWO_PERIODS, 300.0)
    assert [one["fault"] for one in truth_rows(exercise)] == ["h1", "h2"]
    assert [one["verdict"] for one in belief_rows(exercise)] == ["wrong", "right"]
    first = times_at_once(TWO_PERIODS, 300.0)[0]
    assert (first["who"], first["what"], first["seconds"]) == ("people", "time to notice, period 1", 4.0)
    assert (exercise.restored, exercise.restored_text) == (None, "")


def test_the_times_are_json_without_infinite_numbers() -> None:
    text = json.dumps(times_at_once(TWO_PERIODS, 300.0), allow_nan=False)
    assert '"text": "never"' in text


def test_the_analysis_has_the_times_of_the_system(exercise_report: dict[str, Any]) -> None:
    times = {(one["who"], one["what"]): one for one in times_of_report(exercise_report)}
    assert times["system", "time to detect, period 1"]["seconds"] is not None
    assert times["people", "time to notice, period 2"]["seconds"] is None


def test_a_time_that_is_never_in_a_file_has_no_number_on_the_pages() -> None:
    never = {"who": "people", "what": "time to diagnose", "seconds": "never", "text": "never"}
    assert times_of_report({"exercise": {"times": [never]}}) == [{**never, "seconds": None}]


def test_a_report_without_an_exercise_has_no_times() -> None:
    assert times_of_report({"exercise": None}) == times_of_report({}) == []
