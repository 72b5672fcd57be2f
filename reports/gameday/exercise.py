"""An exercise as what it had: faults, notices, beliefs, operations, questions, hints, notes. Times as in its facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reports.gameday.facts import Opened
from reports.gameday.judging import Verdict

__all__ = ["Exercise", "FoundFinding", "JudgedBelief", "Operated", "PlayedFault", "Prompt", "Said"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedFault:
    """A fault of the exercise. `end_s`: None: still active. `ended_by`: why it was reverted; "" if not recorded.

    `operation`: number of the operation that repaired it. `components`: every id that is right, the narrowest first.
    """

    fault: str
    step: str
    kind: str
    text: str
    targets: tuple[str, ...]
    cause: str
    components: tuple[str, ...]
    begin_s: float
    end_s: float | None = None
    ended_by: str = ""
    operation: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """Something that a person, or the exercise (`who` is ""), said: a notice, a note, an action, a hint, a warning."""

    t_s: float
    who: str
    role: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedBelief:
    """What somebody believed, and whether it was right."""

    n: int
    t_s: float
    who: str
    text: str
    cause: str
    component: str
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Operated:
    """What a responder did to the target. `repairs`: ids of faults. `undone_s`: None: not undone.

    `ordered_s`: when it was ordered; None: not recorded. A cold start or a restart takes from then to `t_s`.
    """

    n: int
    t_s: float
    who: str
    text: str
    operation: str
    arguments: Mapping[str, Any]
    ok: bool
    repairs: tuple[str, ...]
    undone_s: float | None = None
    ordered_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A question and its answer; `answer`: None: nobody answered."""

    id: str
    t_s: float
    who: str
    text: str
    answer_within_s: float | None
    answer: Said | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFinding:
    """An expected finding. `t_s`, `who`: when it was marked as found, and by whom; None and "" if it was not."""

    id: str
    text: str
    t_s: float | None = None
    who: str = ""


@dataclass(slots=True, kw_only=True)
class Exercise:
    """Everything that the facts say.

    `started`: whether there was a start; without one, times count from the first fact. `last_s`: time of the last fact,
    or now. `ended_s`: None: the record has no end of the exercise. `restored`: None: nobody checked. `problems`: facts
    that could not be read.
    """

    plan: Opened = field(default_factory=Opened)
    started: bool = False
    last_s: float = 0.0
    ended_s: float | None = None
    ended_why: str = ""
    aborted: bool = False
    restored: bool | None = None
    restored_text: str = ""
    restored_s: float | None = None
    holds: list[tuple[float, float]] = field(default_factory=list)
    people: dict[str, list[str]] = field(default_factory=dict)
    faults: list[PlayedFault] = field(default_factory=list)
    notices: list[Said] = field(default_factory=list)
    beliefs: list[JudgedBelief] = field(default_factory=list)
    operations: list[Operated] = field(default_factory=list)
    questions: list[Prompt] = field(default_factory=list)
    hints: list[Said] = field(default_factory=list)
    notes: list[Said] = field(default_factory=list)
    actions: list[Said] = field(default_factory=list)
    orders: list[Said] = field(default_factory=list)
    """What people had done, with their reason. Of responders only where they gave one: `operations` has the rest."""
    warnings: list[Said] = field(default_factory=list)
    findings: list[FoundFinding] = field(default_factory=list)
    steps: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def held_s(self, begin_s: float, end_s: float) -> float:
        """How long the exercise was on hold between two times, seconds."""
        return sum(max(0.0, min(last, end_s) - max(first, begin_s)) for first, last in self.holds)
