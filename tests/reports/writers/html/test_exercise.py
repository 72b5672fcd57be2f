"""The exercise on the page of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reports.writers.html.exercise import exercise_view


def test_the_page_of_the_run_has_the_times_and_a_link(exercise_folder: Path, exercise_report: dict[str, Any]) -> None:
    view = exercise_view(exercise_report)
    assert view is not None
    assert view["text"] == "90 s, 2 faults, 3 people."
    assert ("time to notice, period 1 (people)", "2 s") in view["rows"]
    assert '<a href="postmortem.html">Post-mortem</a>' in (exercise_folder / "report.html").read_text()


def test_a_run_without_an_exercise_and_an_older_report_have_no_section() -> None:
    assert exercise_view({"exercise": None}) is None
    assert exercise_view({}) is None
