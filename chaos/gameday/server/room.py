"""What the server knows of an exercise: documents for each role, and actions of people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from chaos.gameday.core.roles import Person, Role

__all__ = ["Person", "Room"]


class Room(Protocol):
    """An exercise, as the server uses it. All methods are called on the server's event loop."""

    def view(self, role: Role) -> Mapping[str, Any]:
        """The document of a role, ready for JSON. The server adds `seq` and `at`."""

    async def act(self, person: Person, do: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Carry out an action. Returns `{"text": ...}`.

        Raises NotAllowed (the role may not), NotNow and TargetFailed (not possible now), and UserError (a mistake).
        """

    def entered(self, person: Person) -> None:
        """Somebody entered."""

    def connected(self, person: Person, streams: int) -> None:
        """The number of a person's open streams has changed to `streams`."""

    def file(self, name: str) -> bytes | None:
        """`postmortem.html` or `postmortem.md` once the exercise is over; None before."""
