"""history.md: the changes of level, and each series with its measures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.shared.wording import value_text
from reports.trend.words import (
    change_text,
    count_text,
    history_facts,
    since_text,
    skipped_text,
    spark,
    state_text,
    verdicts_text,
)
from reports.writers.markdown.text import escaped

__all__ = ["history_markdown"]


def history_markdown(data: Mapping[str, Any], *, last: int) -> str:
    """The page. `last`: how many of the newest runs the bars of each measure show."""
    lines = ["# History of runs", "", f"{history_facts(data)}.", "", f"**{escaped(state_text(data))}.**"]
    if data["skipped"]:
        lines += ["", f"{skipped_text(data)}:", ""]
        lines += [f"- {escaped(one['path'])}: {escaped(one['why'])}" for one in data["skipped"]]
    for series in data["series"]:
        lines += ["", *_series(series, last)]
    return "\n".join(lines) + "\n"


def _series(series: Mapping[str, Any], last: int) -> list[str]:
    runs = series["runs"]
    machine = f", {series['machine']}" if series["machine"] else ""
    lines = [f"## {escaped(series['label'])}{escaped(machine)}", ""]
    lines += [f"{count_text(len(runs))}: {verdicts_text([run['verdict'] for run in runs])}.", ""]
    notes = [f"a series of its own: {series['apart']}"] if series["apart"] else []
    lines += [f"- {escaped(note)}" for note in [*notes, *series["notes"]]]
    lines += [""] if notes or series["notes"] else []
    if series["changes"]:
        lines += ["| change | measure | before -> after | when, first run after it |", "|---|---|---|---|"]
        lines += [_change(change) for change in reversed(series["changes"])]
    elif series["tested"]:
        lines.append("No measure changed by more than chance.")
    if series["lines"]:
        lines += ["", f"| measure | newest | last {count_text(min(last, len(runs)))} |", "|---|---|---|"]
    for line in series["lines"]:
        bars = spark(line["values"], line["counts"], line["changes"], last=last).replace("|", "\\|")
        newest = line["values"][-1]
        now = "-" if newest is None else value_text(newest, line["unit"])
        lines.append(f"| `{escaped(line['name'])}` | {now} | {bars} |")
    return lines


def _change(change: Mapping[str, Any]) -> str:
    versions = "".join(f", {name} {old} -> {new}" for name, (old, new) in change["versions"].items())
    first = f"{since_text(change)}, `{change['folder']}`{versions}"
    name, text = escaped(change["name"]), escaped(change_text(change))
    return f"| **{change['direction']}** | `{name}` | {text} | {escaped(first)} |"
