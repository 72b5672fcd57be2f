"""Who takes part in an exercise, what each may do, and the two refusals."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reports.shared.errors import UserError, did_you_mean

__all__ = ["NEEDS_CONTROLS", "PERMISSIONS", "NotAllowed", "NotNow", "Person", "Role", "check_allowed"]


class Role(StrEnum):
    """The part that somebody has in an exercise."""

    GAMEMASTER = "gamemaster"
    RESPONDER = "responder"
    AUDIENCE = "audience"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who takes part. `id`: unique in the exercise; `name`: as this person gave it."""

    id: str
    name: str
    role: Role


class NotAllowed(UserError):
    """An action that the person's role may not do."""


class NotNow(UserError):
    """An action that is not possible at this time: it is over, or somebody else does it or has the controls."""


NEEDS_CONTROLS: Final = frozenset(
    (
        *("start", "hold", "resume", "play", "skip", "repeat", "inject", "revert", "load_start", "load_stop"),
        *("load_level", "hint", "question", "release", "end", "hand_over"),
    )
)
"""Actions of the one game master who has the controls."""

_ANYBODY: Final = frozenset(("note",))

PERMISSIONS: Final[dict[Role, frozenset[str]]] = {
    Role.GAMEMASTER: _ANYBODY | NEEDS_CONTROLS | {"take_controls", "abort", "finding", "preview"},
    Role.RESPONDER: _ANYBODY | {"notice", "belief", "operate", "undo", "answer", "record_action"},
    Role.AUDIENCE: _ANYBODY,
}
"""The actions of each role."""

_WHO: Final = {Role.GAMEMASTER: "game masters", Role.RESPONDER: "responders", Role.AUDIENCE: "the audience"}


def check_allowed(person: Person, do: str) -> None:
    """Raises NotAllowed if the person's role may not do this, UserError if there is no such action."""
    own = PERMISSIONS[person.role]
    if do in own:
        return
    others = [role for role, actions in PERMISSIONS.items() if do in actions]
    if not others:
        raise UserError(f'there is no action "{do[:40]}"\n    {did_you_mean(do[:40], own)}')
    whose = " and ".join(_WHO[role] for role in others)
    raise NotAllowed(f'"{do}" is for {whose}\n    enter with the link of that role')
