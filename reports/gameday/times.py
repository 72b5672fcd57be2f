"""How fast people were, beside the system and the alerts, for each fault period.

From the begin of the period, which is the time at which its first fault was active:

    notice     to the first notice, or belief, that can be about it
    diagnose   to the first belief that is right: cause and component
    act        to the first operation that was ordered
    mitigate   to the end of its last fault, if operations of people ended all of its faults

The system's times are measures of the fault window of the same faults (`reports.by_hand`), counted as measures count
them. All are times of a clock on the wall: a hold stops the run sheet, and not the fault.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from reports.gameday.exercise import Exercise
from reports.gameday.judging import RIGHT
from reports.gameday.periods import Period, periods_of
from reports.gameday.reading import REPAIRED
from reports.gameday.words import ended_text, span_text
from reports.shared.wording import names_text

__all__ = ["NOT_YET", "SYSTEM_TIMES", "WHAT", "Time", "false_notices", "people_times", "system_times"]

Who = Literal["people", "system", "alerts"]

WHAT: Final[Mapping[str, str]] = {
    "notice": "time to notice",
    "diagnose": "time to diagnose",
    "act": "time to act",
    "mitigate": "time to mitigate",
    "detect": "time to detect",
    "fail over": "longest interruption of a call",
    "recover": "time to recover, from the revert",
    "readmit": "time to readmit, from the revert",
    "alert": "time to alert",
}
"""What each time is, as people read it."""

SYSTEM_TIMES: Final[tuple[tuple[Who, str, str], ...]] = (
    ("system", "detect", "time_to_detect"),
    ("system", "fail over", "failover.max"),
    ("system", "recover", "time_to_recover"),
    ("system", "readmit", "time_to_readmit"),
    ("alerts", "alert", "time_to_alert"),
)
"""Who, what, and the name of the measure in a fault window of report.json."""

NOT_YET: Final = "not analysed yet"

_NO_ALERTS: Final = "no alerts were received"
_NO_WINDOW: Final = "the record has no fault window with these faults"


@dataclass(frozen=True, slots=True)
class Time:
    """`seconds`: infinite: it did not happen; None: not measured. `text`: the value or the reason, for people."""

    period: int
    who: Who
    what: str
    seconds: float | None
    text: str


def people_times(exercise: Exercise) -> list[Time]:
    """The times of people, for each period."""
    return [time for period in periods_of(exercise.faults) for time in _of_people(exercise, period)]


def false_notices(exercise: Exercise) -> list[int]:
    """The indices of the notices that are about nothing that was played."""
    periods = periods_of(exercise.faults)
    return [
        index
        for index, notice in enumerate(exercise.notices)
        if not any(period.begin_s <= notice.t_s < period.noticeable_until_s for period in periods)
    ]


def _of_people(exercise: Exercise, period: Period) -> Iterable[Time]:
    begin_s, until_s = period.begin_s, period.noticeable_until_s
    said = [one.t_s for one in exercise.notices] + [one.t_s for one in exercise.beliefs]
    right = [one.t_s for one in exercise.beliefs if one.verdict == RIGHT]
    acted = [one.t_s if one.ordered_s is None else one.ordered_s for one in exercise.operations]
    happened = {
        "notice": _first(said, begin_s, until_s),
        "diagnose": _first(right, begin_s, period.next_s),
        "act": _first(acted, begin_s, period.next_s),
        "mitigate": _mitigated(period),
    }
    for what, at_s in happened.items():
        seconds = at_s - begin_s
        yield Time(period.number, "people", what, seconds, _text(exercise, period, what, seconds))


def _first(times: Iterable[float], begin_s: float, until_s: float) -> float:
    return min((t_s for t_s in times if begin_s <= t_s < until_s), default=math.inf)


def _mitigated(period: Period) -> float:
    if period.end_s is None or any(fault.ended_by != REPAIRED for fault in period.faults):
        return math.inf
    return period.end_s


def _text(exercise: Exercise, period: Period, what: str, seconds: float) -> str:
    if math.isfinite(seconds):
        held_s = exercise.held_s(period.begin_s, period.begin_s + seconds)
        return span_text(seconds) + (f", on hold for {span_text(held_s)} of it" if held_s >= 0.5 else "")
    if what != "mitigate":
        return "never"
    other = [fault for fault in period.faults if fault.ended_by != REPAIRED]
    how = dict.fromkeys(ended_text(fault.ended_by, ended=fault.end_s is not None) for fault in other)
    some = f"{len(other)} of {len(period.faults)} faults: " if len(period.faults) > 1 else ""
    return f"never: {some}{names_text(list(how))}"


def system_times(exercise: Exercise, windows: Sequence[Mapping[str, Any]] | None) -> list[Time]:
    """The times of the system and of the alerts, for each period.

    `windows`: those of report.json; None: there is no analysis yet.
    """
    found = []
    for period in periods_of(exercise.faults):
        ids = {fault.fault for fault in period.faults}
        mine = [window for window in windows or () if ids & {str(one["id"]) for one in window["faults"]}]
        for who, what, name in SYSTEM_TIMES:
            seconds, text = (None, NOT_YET) if windows is None else _measured(mine, name, who)
            repaired_s = _mitigated(period) - period.begin_s
            if what == "detect" and seconds is not None and repaired_s <= seconds < math.inf:
                seconds, text = math.inf, f"never: its first reaction, after {span_text(seconds)}, followed the repair"
            found.append(Time(period.number, who, what, seconds, text))
    return found


def _measured(windows: Sequence[Mapping[str, Any]], name: str, who: Who) -> tuple[float | None, str]:
    """The longest time of the windows; None if one of them has none."""
    measures = [one for window in windows for one in window["measures"] if one["name"] == name]
    if not measures:
        return None, f"not measured: {_NO_ALERTS if who == 'alerts' and windows else _NO_WINDOW}"
    for one in measures:
        if one["value"] is None:
            return None, f"not measured: {one['why_not']}"
    seconds = max(math.inf if one["value"] == "never" else float(one["value"]) for one in measures)
    notes = "; ".join(dict.fromkeys(one["note"] for one in measures if one["note"]))
    return seconds, span_text(seconds) + (f" ({notes})" if notes else "")
