"""Reads `undo.jsonl`, the write-ahead file of a run: which faults were armed, and which of them are not undone.

`chaos.supervision.undo` writes the file and describes its lines. Imports the standard library only, because the
shepherd uses it.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

__all__ = ["ArmedFault", "UndoLog", "read_undo_log"]


class ArmedFault(NamedTuple):
    """A fault whose undo was written. `done_by`: who undid it; "" if nobody did. `failed`: the last failed undo."""

    fault: str
    owner: str
    undo: list[dict[str, Any]]
    done_by: str = ""
    failed: tuple[str, ...] = ()
    left_by_run: bool = False
    """Whether the run itself ended without having undone it, as far as the file says; `heal` may have, later."""


class UndoLog(NamedTuple):
    """`faults`: in the order of arming. `torn`: lines whose write was cut short. `bad`: other lines, and what is wrong.

    Lines are counted from 1. A torn line was never acted on: the fault was not injected before its undo was on disk.
    """

    faults: list[ArmedFault]
    torn: list[int]
    bad: list[tuple[int, str]]

    @property
    def pending(self) -> list[ArmedFault]:
        """The faults that are armed and not undone."""
        return [fault for fault in self.faults if not fault.done_by]

    @property
    def left_by_run(self) -> list[ArmedFault]:
        """The faults that the run did not undo, also where `brownout heal` has done it since."""
        return [fault for fault in self.faults if fault.left_by_run]


def read_undo_log(data: bytes) -> UndoLog:
    """Read the content of the file. Lines that cannot be read are named, and the others are used."""
    faults: dict[str, ArmedFault] = {}
    torn: list[int] = []
    bad: list[tuple[int, str]] = []
    lines = data.split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            _take(json.loads(line), faults)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            if _is_torn(line, last=number == len(lines)):
                torn.append(number)
            else:
                bad.append((number, _reason(error)))
    return UndoLog(list(faults.values()), torn, bad)


def _take(entry: dict[str, Any], faults: dict[str, ArmedFault]) -> None:
    name, owner = str(entry["fault"]), str(entry["owner"])
    if entry.get("done"):
        known = faults.get(name)
        if known is not None:
            by = str(entry.get("by") or "unknown")
            faults[name] = known._replace(done_by=by, left_by_run=by == "heal")
    elif "failed" in entry:
        known = faults.get(name)
        if known is not None:
            faults[name] = known._replace(failed=tuple(str(why) for why in entry["failed"]))
    else:
        undo = [dict(record) for record in entry["undo"]]
        faults.pop(name, None)
        faults[name] = ArmedFault(name, owner, undo, left_by_run=True)


def _is_torn(line: bytes, *, last: bool) -> bool:
    """Whether this is the begin of a line: the last one without its newline, or one after which another was begun."""
    begin = b'{"fault":'
    return last or begin.startswith(line) or (line.startswith(begin) and not line.endswith(b"}"))


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it has no {error}"
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} at character {error.pos + 1}"
    return "not a line of an undo file"
