"""The alerts of a run as lines of text, the same in the terminal, the summary and the page.

They take the report as it stands in report.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reports.shared.wording import number_text

__all__ = ["alert_lines", "alert_text"]

_LISTED: Final = 10


def alert_lines(data: Mapping[str, Any]) -> list[str]:
    """A line for each alert that began to fire, and one for what else came; empty where none were received."""
    alerts = data.get("alerts")
    if not alerts:
        return []
    fired = [change for change in alerts["changes"] if change["status"] == "firing"]
    lines = [alert_text(change) for change in fired[:_LISTED]]
    if len(fired) > _LISTED or alerts["left_out"]:
        lines.append(f"{len(fired) - _LISTED + alerts['left_out']:,} more: see report.json and events.jsonl")
    if alerts["refused"]:
        lines.append(f"{alerts['refused']:,} requests were refused, because they were no alerts")
    return lines or [f"none was received on port {alerts['port']}"]


def alert_text(change: Mapping[str, Any]) -> str:
    """One alert that began to fire: its name and labels, from when to when."""
    labels = ", ".join(f"{name}={value}" for name, value in change["labels"].items() if name != "alertname")
    named = (change["name"] or "an alert without a name") + (f" ({labels})" if labels else "")
    begin = number_text(round(change["at_s"], 1))
    text = f"{named}, received at {begin} s"
    if change["starts_s"] is not None and change["at_s"] - change["starts_s"] >= 1:
        text += f", firing since {number_text(round(change['starts_s'], 1))} s"
    if change["resolved_s"] is not None:
        text += f", resolved at {number_text(round(change['resolved_s'], 1))} s"
    return text if change["counts"] else f"{text}; it does not match"
