"""The exercise in a few sentences."""

from __future__ import annotations

import copy
from typing import Any

from reports.writers.postmortem.summary import restored_text, summary_sentences


def test_the_sentences_tell_what_was_played_and_what_people_did(exercise_report: dict[str, Any]) -> None:
    whole, first, second, *rest = summary_sentences(exercise_report)
    assert whole == "The exercise took 90 s (1 s of it on hold), and 2 faults were played."
    assert first == (
        "At 0:35 (period 1), kill on tpu-0, tpu-1 began: people noticed after 2 s, said what it was after 6 s, "
        "acted after 8 s, and had repaired it after 11 s."
    )
    assert "nobody noticed" in second
    assert "People saw something once when nothing was played." in rest
    assert "1 of 2 expected findings were found." in rest


def test_an_abort_and_an_exercise_that_was_not_started_are_told(exercise_report: dict[str, Any]) -> None:
    data = copy.deepcopy(exercise_report)
    data["exercise"] |= {"aborted": True}
    assert "It was aborted." in summary_sentences(data)
    data["exercise"] |= {"started": False, "ended": False}
    assert summary_sentences(data)[0].startswith("The exercise was not started")


def test_what_is_not_verified_stands_out(exercise_report: dict[str, Any]) -> None:
    exercise = copy.deepcopy(exercise_report["exercise"])
    exercise["restored"] = {"verified": False, "text": "h1 is still there"}
    assert restored_text(exercise) == "Afterwards NOT everything was verified as reverted (h1 is still there)."
    exercise["restored"] = {"verified": None, "text": ""}
    assert "check the target" in restored_text(exercise)
