"""The exercise in a few sentences: what was played, what people and the system did about it, how it ended. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reports.gameday.words import clock_text, span_text
from reports.shared.wording import names_text

__all__ = ["restored_text", "summary_sentences"]

Data = Mapping[str, Any]


def summary_sentences(data: Data) -> list[str]:
    """The sentences. Names of people and texts of scenarios are in them: they are not escaped."""
    exercise = data["exercise"]
    return [*_whole(exercise), *_periods(exercise), *_people(exercise), _losses(data), restored_text(exercise)]


def _whole(exercise: Data) -> Iterator[str]:
    faults = len(exercise["truth"])
    many = "no fault" if not faults else "1 fault" if faults == 1 else f"{faults} faults"
    held = f" ({span_text(exercise['held_s'])} of it on hold)" if exercise["held_s"] >= 1 else ""
    if not exercise["started"]:
        yield f"The exercise was not started; the record ends after {span_text(exercise['duration_s'])}."
    else:
        yield f"The exercise took {span_text(exercise['duration_s'])}{held}, and {many} {_was(faults)} played."
    if not exercise["ended"]:
        yield "The record ends before the end of the exercise: its process was killed, or it still runs."
    elif exercise["aborted"]:
        yield "It was aborted."


def _was(count: int) -> str:
    return "were" if count > 1 else "was"


def _periods(exercise: Data) -> Iterator[str]:
    truth = {one["fault"]: one for one in exercise["truth"]}
    several = len(exercise["periods"]) > 1
    for period in exercise["periods"]:
        times = {
            one["what"].partition(",")[0]: one
            for one in exercise["times"]
            if one["period"] == period["number"] and one["who"] == "people"
        }
        what = names_text([truth[fault]["text"] for fault in period["faults"] if fault in truth])
        when = f"At {clock_text(period['begin_s'])}" + (f" (period {period['number']})" if several else "")
        parts = [
            _part(times.get("time to notice"), "people noticed after {}", "nobody noticed"),
            _part(times.get("time to diagnose"), "said what it was after {}", "nobody said what it was"),
            _part(times.get("time to act"), "acted after {}", "nobody acted"),
            _part(times.get("time to mitigate"), "and had repaired it after {}", "and people did not repair it"),
        ]
        yield f"{when}, {what} began: {', '.join(part for part in parts if part)}."


def _part(time: Data | None, happened: str, never: str) -> str:
    if time is None:
        return ""
    seconds = time["seconds"]
    finite = isinstance(seconds, int | float) and seconds != float("inf")
    return happened.format(span_text(seconds)) if finite else never


def _people(exercise: Data) -> Iterator[str]:
    if count := exercise["false_notices"]:
        times = "once" if count == 1 else f"{count} times"
        yield f"People saw something {times} when nothing was played."
    if expected := exercise["findings"]:
        found = sum(one["found"] for one in expected)
        yield f"{found} of {len(expected)} expected findings were found."


def _losses(data: Data) -> str:
    failed = data["measures"].get("calls_failed", {}).get("run", {}).get("value")
    lost = data["measures"].get("sessions_lost", {}).get("run", {}).get("value")
    if failed is None or lost is None:
        return "How many calls failed was not measured."
    return f"In the fault windows, {failed:,.0f} calls failed and {lost:,.0f} sessions were lost."


def restored_text(exercise: Data) -> str:
    """Whether everything is as before."""
    text = str(exercise["restored"]["text"]).strip()
    more = f" ({text})" if text else ""
    match exercise["restored"]["verified"]:
        case True:
            return f"Afterwards every fault was reverted, and this was verified{more}."
        case False:
            return f"Afterwards NOT everything was verified as reverted{more}."
    return "The record does not say whether everything was reverted: check the target."
