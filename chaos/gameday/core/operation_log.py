"""The operations of the responders.

ordered --> in force --undo--> undoing --> undone         `done` in place of `in force`: it does not last
   '------> failed                                         `replaced`: another switch of the same policy is in force
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from chaos.gameday.core.operations import LASTING, done_text, ordered_text
from chaos.gameday.core.roles import NotNow
from reports.shared.errors import UserError

__all__ = ["OperationLog", "OperationRecord", "OperationState"]

OperationState = Literal["ordered", "done", "in force", "failed", "undoing", "undone", "replaced"]


@dataclass(slots=True)
class OperationRecord:
    """One operation. `since_s`: since when it is ordered, then in force; seconds since the start of the exercise."""

    n: int
    operation: str
    arguments: Mapping[str, str]
    who: str
    since_s: float
    state: OperationState = "ordered"
    undone_by: str = ""

    @property
    def text(self) -> str:
        """What is so when it is done: `pool tpu is drained`."""
        return done_text(self.operation, self.arguments)


class OperationLog:
    """Every operation, by its number."""

    def __init__(self) -> None:
        self.all: dict[int, OperationRecord] = {}

    @property
    def in_force(self) -> list[OperationRecord]:
        """What responders changed and is still so."""
        return [one for one in self.all.values() if one.state in ("in force", "undoing")]

    def order(self, operation: str, arguments: Mapping[str, str], who: str, t_s: float) -> OperationRecord:
        """Raises NotNow where somebody does the same now, or it is so already."""
        for one in self.all.values():
            if one.operation != operation or one.arguments != arguments:
                continue
            if one.state == "ordered":
                raise NotNow(f"{one.who} {ordered_text(operation, arguments)} at this moment")
            if one.state in ("in force", "undoing"):
                raise NotNow(f"{one.text} already (by {one.who})")
        made = OperationRecord(len(self.all) + 1, operation, arguments, who, t_s)
        self.all[made.n] = made
        return made

    def finish(self, n: int, ok: bool, t_s: float) -> OperationRecord | None:
        """It was carried out, or failed. None where it is not known, or was finished before."""
        one = self.all.get(n)
        if one is None or one.state != "ordered":
            return None
        one.since_s = t_s
        if not ok:
            one.state = "failed"
            return one
        if one.operation == "switch":
            for other in self.in_force:
                if other.operation == "switch" and _policy(other) == _policy(one):
                    other.state = "replaced"
        one.state = "in force" if one.operation in LASTING else "done"
        return one

    def undo(self, n: int, who: str) -> OperationRecord:
        """Raises NotNow where it is not in force, UserError where there is no such operation."""
        one = self.all.get(n)
        if one is None:
            raise UserError(f"there is no operation {n}\n    undo one that is in force")
        if one.state == "undoing":
            raise NotNow(f"{one.text}: it is being undone at this moment")
        if one.state != "in force":
            raise NotNow(f"{one.text}: it is not in force")
        one.state, one.undone_by = "undoing", who
        return one

    def undone(self, n: int, ok: bool) -> OperationRecord | None:
        """It was undone, or could not be. None where nobody undid it."""
        one = self.all.get(n)
        if one is None or one.state != "undoing":
            return None
        one.state = "undone" if ok else "in force"
        return one


def _policy(one: OperationRecord) -> str:
    return one.arguments["policy"].partition(":")[0]
