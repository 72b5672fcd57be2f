"""The exercise of a run: how fast people were, with a link to the post-mortem. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reports.gameday.words import span_text

__all__ = ["POSTMORTEM", "exercise_view"]

POSTMORTEM: Final = "postmortem.html"
"""The page that has the rest, in the same folder."""


def exercise_view(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """The section; None for a run without an exercise."""
    exercise = data.get("exercise")
    if exercise is None:
        return None
    end = "" if exercise["ended"] else " The record ends before the end of the exercise."
    faults = len(exercise["truth"])
    return {
        "title": exercise["title"] or exercise["name"] or "Exercise",
        "text": f"{span_text(exercise['duration_s'])}, {faults} {'fault' if faults == 1 else 'faults'}, "
        f"{len(exercise['people'])} people.{end}",
        "link": POSTMORTEM,
        "rows": [(f"{row['what']} ({row['who']})", row["text"]) for row in exercise["times"]],
    }
