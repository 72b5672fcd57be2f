"""A history as text, the same in the terminal, history.md and history.html: times, changes, sparklines."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from reports.shared.wording import names_text, value_text

__all__ = [
    "change_text",
    "count_text",
    "doubt_text",
    "history_facts",
    "p_text",
    "percent_text",
    "runs_text",
    "short_time",
    "since_text",
    "skipped_text",
    "spark",
    "state_text",
    "step_text",
    "verdicts_text",
]

_BARS: Final = "▁▂▃▄▅▆▇█"
_QUIET: Final = 0.2
"""The bars are as high as this share of the largest value at least: noise of a few percent shall look quiet."""

_NAMED: Final = 5
"""Most names in a sentence."""

NO_VALUE, NEVER, CHANGE = "·", "∞", "|"


def short_time(started_at: str) -> str:
    """`2026-11-28 21:57`, UTC."""
    return started_at[:16].replace("T", " ")


def count_text(runs: int) -> str:
    """`1 run`, `1,200 runs`."""
    return f"{runs:,} run{'' if runs == 1 else 's'}"


def verdicts_text(verdicts: Sequence[str]) -> str:
    """`31 pass, 8 fail, 1 inconclusive`, the most frequent first."""
    return ", ".join(f"{count} {verdict}" for verdict, count in Counter(verdicts).most_common())


def percent_text(before: float | str, after: float | str, unit: str) -> str:
    """The size of a change: `+90%`, shares in points; "" where that says nothing."""
    if isinstance(before, str) or isinstance(after, str) or not (math.isfinite(before) and math.isfinite(after)):
        return ""
    if unit == "share":
        return f"{(after - before) * 100:+.3g} points"
    if before <= 0 or after < 0:
        return ""
    if after >= 3 * before:
        return f"{after / before:.3g} times"
    percent = (after / before - 1) * 100
    return f"{percent:+.2g}%" if abs(percent) < 99.5 else f"{percent:+.0f}%"


def p_text(p: float) -> str:
    """`p 0.003`; below 0.001 `p < 0.001`."""
    return "p < 0.001" if p < 0.001 else f"p {p:.2g}"


def step_text(change: Mapping[str, Any]) -> str:
    """`410 ms -> 780 ms (+90%)`."""
    before, after = (value_text(change[key], change["unit"]) for key in ("before", "after"))
    size = percent_text(change["before"], change["after"], change["unit"])
    return f"{before} -> {after}" + (f" ({size})" if size else "")


def runs_text(change: Mapping[str, Any]) -> str:
    """`23 runs before, 20 after, p < 0.001`."""
    return f"{change['runs_before']} runs before, {change['runs_after']} after, {p_text(change['p'])}"


def since_text(change: Mapping[str, Any]) -> str:
    """`since 2026-11-10 04:30`, or `2026-11-10 04:30 to 2026-11-20 04:30` if the level changed again."""
    first = short_time(change["started_at"])
    return f"since {first}" if change["until"] is None else f"{first} to {short_time(change['until'])}"


def state_text(data: Mapping[str, Any]) -> str:
    """What is worse than before and has not changed again, in a sentence."""
    worse = {
        (series["label"], series["machine"], series["apart"], change["name"])
        for series in data["series"]
        for change in series["changes"]
        if change["direction"] == "worse" and change["until"] is None
    }
    if not worse and not any(series["tested"] for series in data["series"]):
        return "Too few runs to tell a change from chance"
    if not worse:
        return "No measure is at a worse level than before"
    names = list(dict.fromkeys(name for *_, name in sorted(worse)))
    shown = names_text(names if len(names) <= _NAMED else [*names[: _NAMED - 1], f"{len(names) - _NAMED + 1} more"])
    return f"At a worse level than before: {shown}"


def change_text(change: Mapping[str, Any]) -> str:
    """`410 ms -> 780 ms (+90%), 23 runs before, 20 after, p < 0.001`."""
    return f"{step_text(change)}, {runs_text(change)}"


def doubt_text(run: Mapping[str, Any]) -> str:
    """Why a run decides less than it could, in a few words; "" without a doubt."""
    if run["severe_doubts"]:
        return "machine far too busy"
    if run["machine_doubts"]:
        return "machine too busy"
    if run["fault_doubts"]:
        return "fault not a valid test"
    return "in doubt" if run["doubts"] else ""


def spark(
    values: Sequence[float | str | None], counts: Sequence[bool], changes: Sequence[int] = (), *, last: int = 20
) -> str:
    """The last values as bars; `|` before the first run of a new level.

    `·`: no value, or one that does not count. `∞`: never.
    """
    begin = max(0, len(values) - last)
    finite = [
        value
        for value, known in zip(values[begin:], counts[begin:], strict=True)
        if known and value is not None and not isinstance(value, str)
    ]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    span = max(high - low, _QUIET * max(abs(low), abs(high)))
    found = ""
    for place in range(begin, len(values)):
        if place in changes and place > begin:
            found += CHANGE
        value = values[place]
        if value is None or not counts[place]:
            found += NO_VALUE
        elif isinstance(value, str):
            found += NEVER
        else:
            share = (value - low) / span if span else 0.0
            found += _BARS[min(len(_BARS) - 1, int(share * len(_BARS)))]
    return found


def history_facts(data: Mapping[str, Any]) -> str:
    """`74 runs in 2 series, 2026-10-01 04:30 to 2026-11-29 04:30 (UTC)`."""
    times = sorted(short_time(run["started_at"]) for series in data["series"] for run in series["runs"])
    count = len(data["series"])
    span = times[0] if len(times) == 1 else f"{times[0]} to {times[-1]}"
    return f"{count_text(data['runs'])} in {count} series, {span} (UTC)"


def skipped_text(data: Mapping[str, Any]) -> str:
    """`2 reports were skipped`; "" if none was."""
    count = len(data["skipped"])
    return f"{count} report{' was' if count == 1 else 's were'} skipped" if count else ""
