"""The facts of an exercise, and the fields of their data: what each event `exercise` of `docs/wire.md` must have.

A fact whose data have a wrong type is left out and named; one damaged line does not lose the exercise.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from reports.shared.plain_text import printable_line

__all__ = [
    "DATA",
    "LONGEST_TEXT",
    "Answer",
    "Belief",
    "Branch",
    "Controls",
    "Ended",
    "Fact",
    "Finding",
    "Hint",
    "Injected",
    "Opened",
    "Operation",
    "Ordered",
    "PlannedFinding",
    "PlannedStep",
    "Question",
    "Restored",
    "Reverted",
    "Step",
    "Undone",
    "facts_of",
]

LONGEST_TEXT: Final = 2_000
"""Characters of a text of people that are used. No page takes a longer one; a file that was edited may have it."""


class PlannedFinding(msgspec.Struct):
    """What people are expected to find."""

    id: str
    text: str = ""


class PlannedStep(msgspec.Struct):
    """A step of the run sheet."""

    id: str
    label: str = ""
    kind: str = ""
    at_s: float | None = None
    for_s: float | None = None


class Opened(msgspec.Struct):
    """`opened`: what is going to be played."""

    title: str = ""
    name: str = ""
    source: str = ""
    family: str | None = None
    length_s: float | None = None
    drawn: dict[str, Any] | None = None
    briefing: str = ""
    description: str = ""
    findings: list[PlannedFinding] = []
    steps: list[PlannedStep] = []


class Step(msgspec.Struct):
    """`step`: what became of a step of the run sheet."""

    step: str
    state: str
    fault: str | None = None


class Injected(msgspec.Struct):
    """`injected`: a fault is active. `components`: all ids that are right for it."""

    fault: str
    kind: str
    step: str | None = None
    targets: list[str] = []
    params: dict[str, Any] = {}
    cause: str = ""
    components: list[str] = []


class Reverted(msgspec.Struct):
    """`reverted`: a fault is no longer active. `operation`: number of the operation that repaired it."""

    fault: str
    why: str = ""
    operation: int | None = None


class Belief(msgspec.Struct):
    """`belief`: what somebody believes."""

    cause: str
    component: str
    n: int = 0


class Operation(msgspec.Struct):
    """`operation`: what a responder did to the target. `repairs`: ids of the faults that it ended.

    `ordered_s`: when it was ordered, on the clock of `t_s`, which is when it was done.
    """

    n: int
    operation: str
    arguments: dict[str, Any] = {}
    ok: bool = True
    repairs: list[str] = []
    ordered_s: float | None = None


class Undone(msgspec.Struct):
    """`undone`: an operation is no longer in force, if `ok`."""

    n: int
    ok: bool = True


class Hint(msgspec.Struct):
    """`hint`: a hint was given."""

    id: str | None = None


class Question(msgspec.Struct):
    """`question`: `who` asks. `answer_within_s`: how soon an answer is expected."""

    id: str
    answer_within_s: float | None = None


class Answer(msgspec.Struct):
    """`answer`: to the question `id`."""

    id: str


class Controls(msgspec.Struct):
    """`controls`: who has them now."""

    to: str | None = None


class Branch(msgspec.Struct):
    """`branch`: whether a branch of the scenario was taken."""

    id: str
    taken: bool


class Finding(msgspec.Struct):
    """`finding`: whether people have found what was expected."""

    id: str
    found: bool


class Ended(msgspec.Struct):
    """`ended`: the end was ordered."""

    why: str = ""


class Ordered(msgspec.Struct):
    """`ordered`: somebody had something done. `do`: the action of the page. `reason`: as that person gave it."""

    do: str = ""
    reason: str = ""


class Restored(msgspec.Struct):
    """`restored`: every fault is reverted. `verified`: this was checked."""

    verified: bool


class _Any(msgspec.Struct):
    """An event whose data are not read."""


DATA: Final[Mapping[str, type[msgspec.Struct]]] = {
    "opened": Opened,
    "entered": _Any,
    "started": _Any,
    "held": _Any,
    "resumed": _Any,
    "step": Step,
    "injected": Injected,
    "reverted": Reverted,
    "noticed": _Any,
    "belief": Belief,
    "operation": Operation,
    "undone": Undone,
    "action": _Any,
    "note": _Any,
    "hint": Hint,
    "question": Question,
    "answer": Answer,
    "controls": Controls,
    "load": _Any,
    "branch": Branch,
    "finding": Finding,
    "warning": _Any,
    "guardrail": _Any,
    "abort": _Any,
    "release": _Any,
    "ended": Ended,
    "restored": Restored,
    "ordered": Ordered,
}
"""The data of each event."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact. `who`: a person's name, "" is the exercise itself. `t_s`: seconds since the start of the exercise."""

    event: str
    who: str
    role: str
    text: str
    t_s: float
    data: Any


def facts_of(rows: Iterable[Mapping[str, Any]], problems: list[str]) -> list[Fact]:
    """The facts in the order of time. `rows`: `event`, `who`, `role`, `text`, `data`, `t_s`.

    Appends to `problems` one line for each event that has rows with wrong data.
    """
    found: list[Fact] = []
    wrong: Counter[str] = Counter()
    why: dict[str, str] = {}
    for row in rows:
        event = str(row.get("event"))[:40]
        try:
            found.append(_fact(event, row))
        except (msgspec.MsgspecError, TypeError, ValueError, OverflowError) as error:
            wrong[event] += 1
            why.setdefault(event, printable_line(str(error))[:200])
    for event, count in wrong.items():
        many = "1 fact" if count == 1 else f"{count:,} facts"
        problems.append(f"{many} {event!r} of the exercise cannot be read ({why[event]}): skipped")
    found.sort(key=lambda fact: fact.t_s)
    return found


def _fact(event: str, row: Mapping[str, Any]) -> Fact:
    struct = DATA.get(event)
    if struct is None:
        raise ValueError("no event of an exercise has this name")
    t_s = float(row["t_s"]) if "t_s" in row else math.nan
    if not math.isfinite(t_s):
        raise ValueError("its time is not known")
    data = msgspec.convert(row.get("data") or {}, struct)
    who, role, text = (str(row.get(key) or "") for key in ("who", "role", "text"))
    return Fact(event, printable_line(who[:80]), role, text[:LONGEST_TEXT], t_s, data)
