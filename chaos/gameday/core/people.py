"""Who is here, and which game master has the controls."""

from __future__ import annotations

from chaos.gameday.core.roles import NotAllowed, NotNow, Person, Role
from reports.shared.errors import UserError

__all__ = ["People"]


class People:
    """The people by their ids, and how many streams each has open."""

    def __init__(self) -> None:
        self.all: dict[str, Person] = {}
        self.controls: Person | None = None
        self._streams: dict[str, int] = {}

    def enter(self, person: Person) -> tuple[bool, bool]:
        """Returns whether the person is new, and whether this one gets the controls: the first game master does."""
        new = person.id not in self.all
        self.all[person.id] = person
        first = person.role is Role.GAMEMASTER and self.controls is None
        if first:
            self.controls = person
        return new, first

    def connect(self, person: Person, streams: int) -> None:
        """So many streams of this person are open now."""
        self.all.setdefault(person.id, person)
        self._streams[person.id] = streams

    def connected(self, person_id: str) -> bool:
        """Whether a page of this person is open."""
        return self._streams.get(person_id, 0) > 0

    def check_controls(self, person: Person) -> None:
        """Raises NotNow where somebody else has the controls."""
        if self.controls is not None and self.controls.id == person.id:
            return
        who = "nobody has the controls" if self.controls is None else f"{self.controls.name} has the controls"
        raise NotNow(f"{who}\n    take them")

    def take(self, person: Person) -> Person | None:
        """Give the controls to this game master. Returns who had them. Raises NotNow if this one has them already."""
        before = self.controls
        if before is not None and before.id == person.id:
            raise NotNow("you have the controls already")
        self.controls = person
        return before

    def hand_over(self, to: str) -> Person:
        """Give the controls to another game master. Raises UserError, NotAllowed, NotNow."""
        person = self.all.get(to)
        if person is None:
            raise UserError("there is nobody with this id\n    choose a game master who is here")
        if person.role is not Role.GAMEMASTER:
            raise NotAllowed(f"{person.name} is no game master\n    choose one")
        self.take(person)
        return person
