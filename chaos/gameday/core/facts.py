"""What happened in an exercise: the lines `{"type": "exercise", ...}` of `events.jsonl`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Fact", "row"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact. `who`: a name, "" is the exercise itself; `role`: of that person. `t_s`: seconds since the start."""

    event: str
    who: str
    role: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    t_s: float = 0.0


def row(fact: Fact) -> dict[str, Any]:
    """The fields of its line in the record; the writer adds the type and the time."""
    return {
        "event": fact.event,
        "who": fact.who,
        "role": fact.role,
        "text": fact.text,
        "t_s": round(fact.t_s, 3),
        "data": dict(fact.data),
    }
