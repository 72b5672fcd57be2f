"""What an ended run has not undone, according to its undo file, and how a user undoes it.

The last message of every run comes from here: "every fault was reverted" is said only where the file lists nothing.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from chaos.supervision.command import ALLOW_EXEC
from chaos.supervision.heal import by_hand, see
from chaos.supervision.undo import check_record, read_file
from reports.shared.undo_log import ArmedFault

__all__ = ["LeftFault", "LeftOver", "heal_command", "left_over"]


class LeftFault(NamedTuple):
    """A fault that is not known to be undone. `kind`: "" if the record does not say it. `commands`: for each process
    that has it still; empty where nothing is left to be done by hand.
    """

    fault: str
    kind: str
    targets: tuple[str, ...]
    why: str
    commands: tuple[str, ...]
    by_command: bool = False
    """Whether a command of the user's undoes it."""

    def __str__(self) -> str:
        what = f"{self.kind} on {', '.join(self.targets)}" if self.kind else "a fault"
        return f"{self.fault} ({what}): {self.why}"


class LeftOver(NamedTuple):
    """`armed`: how many faults were armed. `problem`: why the undo file cannot be read; "" if it can."""

    folder: Path
    armed: int
    faults: list[LeftFault]
    problem: str

    def __bool__(self) -> bool:
        """Whether something is not known to be undone."""
        return bool(self.faults or self.problem)

    @property
    def summary(self) -> str:
        """One line: how it stands with the faults of the run."""
        if self.problem:
            return f"whether every fault was reverted is not known: {self.problem}"
        if self.faults:
            names = "; ".join(str(fault) for fault in self.faults)
            return f"{len(self.faults)} of {self.armed} faults not reverted: {names}"
        return "every fault was reverted" if self.armed else "no fault was injected"

    @property
    def lines(self) -> list[str]:
        """The loud message: each fault that is left, why, and the commands that undo it. Empty if nothing is left."""
        if not self:
            return []
        if self.problem:
            return [f"NOT KNOWN WHETHER EVERY FAULT WAS REVERTED: {self.problem}", self._undo_by]
        found = [f"NOT REVERTED: {len(self.faults)} of {self.armed} faults of this run"]
        for fault in self.faults:
            found += [f"    {fault}", *(f"        by hand: {command}" for command in fault.commands)]
        return [*found, self._undo_by]

    @property
    def _undo_by(self) -> str:
        option = f" {ALLOW_EXEC}" if any(fault.by_command for fault in self.faults) else ""
        return f"    undo it, and see what is left: {heal_command(self.folder)}{option}"


def heal_command(folder: Path) -> str:
    """The command that undoes what a run has left."""
    return f"brownout heal {shlex.quote(str(folder))}"


def left_over(folder: Path, confirmed: Iterable[str] = ()) -> LeftOver:
    """Read the undo file of an ended run. `confirmed`: the ids of faults that were on, so that it must list them."""
    try:
        log = read_file(folder / "undo.jsonl")
    except OSError as error:
        return LeftOver(folder, 0, [], f"{folder / 'undo.jsonl'} cannot be read: {error.strerror or error}")
    if log.bad:
        line, why = log.bad[0]
        return LeftOver(folder, len(log.faults), [], f"{folder / 'undo.jsonl'}:{line}: {why}")
    if unlisted := sorted({*confirmed} - {fault.fault for fault in log.faults}):
        why = f"{folder / 'undo.jsonl'} does not list {', '.join(unlisted)}: was it removed?"
        return LeftOver(folder, len(log.faults), [], why)
    kinds = _kinds(folder) if log.pending else {}
    owner = folder.resolve().name
    return LeftOver(folder, len(log.faults), [_left(one, kinds, owner) for one in log.pending], "")


def _left(fault: ArmedFault, kinds: Mapping[str, tuple[str, tuple[str, ...]]], owner: str) -> LeftFault:
    kind, targets = kinds.get(fault.fault, ("", ()))
    why = "; ".join(fault.failed) or "the undo file does not say that it was undone"
    commands = []
    for record in fault.undo:
        try:
            check_record(record)
            commands.append(by_hand(record, see(record, owner)))
        except (OSError, ValueError):
            continue
    by_command = any(record.get("do") == "exec" for record in fault.undo)
    return LeftFault(fault.fault, kind, targets, why, tuple(command for command in commands if command), by_command)


def _kinds(folder: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Kind and targets of each fault, as far as the record says them."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    try:
        lines = (folder / "events.jsonl").read_bytes().splitlines()
    except OSError:
        return found
    for line in lines:
        try:
            event: dict[str, Any] = json.loads(line)
            if event["type"] == "fault":
                found[str(event["id"])] = (str(event["kind"]), tuple(str(target) for target in event["targets"]))
        except (ValueError, KeyError, TypeError):
            continue
    return found
