"""The events that each role may see.

Each role has a list of its own with numbers of its own: a gap would tell that there was an event that it may not see.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from chaos.gameday.core.roles import Role

__all__ = ["EVERYBODY", "GAMEMASTERS", "Kind", "VisibleLog"]

Kind = Literal[
    "note",
    "notice",
    "belief",
    "operation",
    "action",
    "hint",
    "question",
    "answer",
    "state",
    "warning",
    "fault",
    "step",
    "controls",
]

EVERYBODY: Final = frozenset(Role)
GAMEMASTERS: Final = frozenset((Role.GAMEMASTER,))

_LAST: Final = 10
_MOST: Final = 300
_LONGEST: Final = 500
"""The most characters of an event in a document; the record has all of them."""


@dataclass(frozen=True, slots=True)
class _Event:
    n: int
    t_s: float
    kind: str
    who: str
    text: str

    def document(self) -> dict[str, Any]:
        return {"n": self.n, "t_s": self.t_s, "kind": self.kind, "who": self.who, "text": self.text}


class VisibleLog:
    """The last events of each role."""

    def __init__(self) -> None:
        self._events: dict[Role, deque[_Event]] = {role: deque(maxlen=_MOST) for role in Role}
        self._numbers: dict[Role, int] = dict.fromkeys(Role, 0)

    def add(self, kind: Kind, who: str, text: str, t_s: float, to: Collection[Role]) -> None:
        """Add an event for these roles."""
        shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
        for role in to:
            self._numbers[role] += 1
            self._events[role].append(_Event(self._numbers[role], round(t_s, 1), kind, who, shown))

    def last(self, role: Role) -> list[dict[str, Any]]:
        """The last ten events of a role."""
        return _documents(list(self._events[role])[-_LAST:])

    def all(self, role: Role) -> list[dict[str, Any]]:
        """The last 300 events of a role."""
        return _documents(self._events[role])


def _documents(events: Iterable[_Event]) -> list[dict[str, Any]]:
    return [event.document() for event in events]
