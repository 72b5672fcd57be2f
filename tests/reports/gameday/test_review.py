"""What everybody sees when the exercise is over."""

from __future__ import annotations

import json
from typing import Any

from reports.gameday.review import FILES, review, with_system
from tests.reports.gameday.test_times import TWO_PERIODS


def test_truth_beliefs_and_times_are_there_at_once() -> None:
    shown = review(TWO_PERIODS, 300.0)
    assert [one["fault"] for one in shown["truth"]] == ["h1", "h2"]
    assert [one["verdict"] for one in shown["beliefs"]] == ["wrong", "right"]
    first = shown["times"][0]
    assert (first["who"], first["what"], first["seconds"]) == ("people", "time to notice, period 1", 4.0)
    assert shown["restored"] == {"verified": False, "text": ""}
    assert shown["files"] == []


def test_the_review_is_json_without_infinite_numbers() -> None:
    text = json.dumps(review(TWO_PERIODS, 300.0), allow_nan=False)
    assert '"text": "never"' in text


def test_the_analysis_fills_the_times_of_the_system(exercise_report: dict[str, Any]) -> None:
    shown = with_system(review(TWO_PERIODS, 300.0), exercise_report)
    times = {(one["who"], one["what"]): one for one in shown["times"]}
    assert times["system", "time to detect, period 1"]["seconds"] is not None
    assert times["people", "time to notice, period 2"]["seconds"] is None
    assert shown["files"] == list(FILES)


def test_a_report_without_an_exercise_changes_no_time() -> None:
    before = review(TWO_PERIODS, 300.0)
    assert with_system(before, {"exercise": None})["times"] == before["times"]
