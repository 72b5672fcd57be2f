"""Times and names of an exercise as people read them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from reports.shared.units import duration_text

__all__ = ["ENDED_BY", "clock_text", "ended_text", "span_text"]

ENDED_BY: Final[Mapping[str, str]] = {
    "repair": "repaired by an operation",
    "by hand": "reverted by the game master",
    "time": "ended after its planned time",
    "lease": "reverted because its lease ended",
    "abort": "reverted by the abort",
    "end": "reverted at the end of the exercise",
}
"""How a fault ended, by the reason in the record."""


def ended_text(ended_by: str, *, ended: bool) -> str:
    """How a fault ended."""
    return ENDED_BY.get(ended_by, "reverted; the record does not say why") if ended else "no end is recorded"


def clock_text(seconds: float) -> str:
    """A time of the exercise: `4:07`, `1:02:05`; `-0:12` is before the start."""
    if not math.isfinite(seconds):
        return "–"
    whole = round(abs(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    return f"-{text}" if seconds < 0 and whole else text


def span_text(seconds: float) -> str:
    """A length of time in whole seconds from 10 s on: `350 ms`, `4.2 s`, `83 s`, `2 min 5 s`; `never` if infinite."""
    if math.isinf(seconds):
        return "never"
    if seconds < 1:
        return f"{round(seconds * 1000)} ms" if seconds else "0 s"
    return duration_text(round(seconds, 1) if seconds < 10 else round(seconds))
