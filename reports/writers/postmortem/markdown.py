"""postmortem.md. What people and scenarios wrote is escaped: it shows as it is, and does nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reports.gameday.facts import LONGEST_TEXT
from reports.gameday.words import clock_text
from reports.waterfall.story import waterfall_of
from reports.writers.gate.markdown_text import code, details, html_text, prose, shell_block, table
from reports.writers.postmortem.view import MOST_ROWS, Table, postmortem_view

__all__ = ["postmortem_markdown"]

_LIMIT: Final = LONGEST_TEXT + 200
"""Characters of a cell: a text of a person, with the words around it."""

_STEPS: Final = 40
"""Lines of the story of a call."""


def postmortem_markdown(data: Mapping[str, Any]) -> str:
    """The text. `data`: the content of report.json, with an exercise."""
    view = postmortem_view(data)
    parts = [
        f"# Post-mortem: {prose(view['title'])}",
        prose(view["under"]),
        *([prose(view["description"], _LIMIT)] if view["description"] else []),
        "## Summary",
        "\n".join(f"- {prose(sentence, _LIMIT)}" for sentence in view["summary"]),
        "## What happened, by time",
        "Times are minutes and seconds since the start of the exercise." + _left_out(view["left_out"]),
        _table(view["by_time"]),
        "## The truth, and what people believed",
        _table(view["truth"]),
        "### Beliefs",
        _table(view["beliefs"]),
        "## How fast",
        view["held_note"],
        _table(view["times"]),
        "## What held, and what did not",
        _table(view["findings"]),
        "Before, during and after the faults:",
        _table(view["numbers"]),
        *([_table(view["gates"])] if view["gates"].rows else []),
        "## Operations",
        _table(view["operations"]),
        "## Questions and answers",
        _table(view["questions"]),
        "## Worst moments",
        *_worst(data),
        "## Notes",
        _table(view["notes"]),
        "## Open questions",
        "- ",
        "## Actions",
        _table(view["actions"], empty_row=True),
        "## Who took part",
        _table(view["people"]),
        "## How this was made",
        *([prose("; ".join(view["problems"]), _LIMIT)] if view["problems"] else []),
        shell_block(view["made_by"]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _left_out(count: int) -> str:
    if not count:
        return ""
    what = "1 entry is" if count == 1 else f"{count:,} entries are"
    return f" The table has {MOST_ROWS:,} rows at most: {what} in the record only, the last notes first."


def _table(shown: Table, *, empty_row: bool = False) -> str:
    if not shown.rows and not empty_row:
        return shown.empty
    rows = [[prose(cell, _LIMIT) for cell in row] for row in shown.rows]
    rows += [[" " for _ in shown.head]] if empty_row else []
    return table([prose(cell) for cell in shown.head], rows, most_bytes=None)


def _worst(data: Mapping[str, Any]) -> list[str]:
    calls = [*data["failovers"], *data["exercise"]["worst_calls"]]
    if not calls:
        return ["No call was sent while a fault was active."]
    lead = "The calls that were interrupted longest, then those whose client waited longest. All spans: report.html."
    return [lead, *(_call(call, data) for call in calls)]


def _call(call: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    shown = waterfall_of(call, data["faults"])
    shift_s = float(data["exercise"]["began_s"])
    lines = [
        f"- {clock_text(moment.at_s - shift_s)}, {moment.at_s - shift_s:.3f} s: {prose(moment.text)}"
        for moment in shown.story[:_STEPS]
    ]
    more = len(shown.story) - len(lines)
    lines += [f"- {more} more lines"] if more > 0 else []
    body = "\n".join([f"Call {code(shown.key)}:", "", *lines])
    return details(f"{html_text(shown.key)}: {html_text(shown.headline, 300)}", body)
