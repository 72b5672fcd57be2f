"""What is planned for an exercise: its steps, hints, questions, expected findings and branches.

All times are seconds since the start of the exercise, on the clock of the run sheet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

__all__ = [
    "PUBLIC_TITLE",
    "Branch",
    "Condition",
    "Drawn",
    "Finding",
    "Hint",
    "Plan",
    "Question",
    "Repair",
    "Source",
    "Step",
    "Unless",
]

PUBLIC_TITLE: Final = "Game day"
"""The title that responders and the audience see, unless a scenario has one for them."""

Source = Literal["scenario", "experiment", "free"]
Unless = Literal["", "noticed", "diagnosed", "repaired"]
"""A hint is not given if this is so already; "": it is given in any case."""
Condition = Literal["noticed", "not_noticed", "diagnosed", "not_diagnosed", "repaired", "not_repaired"]
"""When a branch is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """An operation of responders that ends a fault. `arguments`: as in the action `operate`."""

    operation: str
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A fault of the run sheet. `options`: as `chaos.by_hand.injection.injection` takes them.

    `for_s`: when it ends by itself; None: when it is repaired or reverted, or the exercise ends. `repairs`: None: what
    repairs its kind (`chaos.gameday.core.repairs.default_repairs`); empty: nothing does.
    """

    id: str
    label: str
    kind: str
    options: Mapping[str, Any]
    at_s: float
    for_s: float | None = None
    repairs: tuple[Repair, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """A text that helps, given by itself at its time or by the game master before."""

    id: str
    after_s: float
    text: str
    unless: Unless = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An event that people must answer. `who` asks; `answer_within_s`: how soon this one expects an answer."""

    id: str
    at_s: float
    who: str
    text: str
    answer_within_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the exercise should bring to light."""

    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """What also happens where a condition holds at a time. `end`: the exercise ends then."""

    id: str
    at_s: float
    when: Condition
    text: str
    steps: tuple[Step, ...] = ()
    hints: tuple[Hint, ...] = ()
    questions: tuple[Question, ...] = ()
    end: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """By what an exercise was drawn: the seed and the family."""

    seed: int
    family: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The plan of an exercise. Everybody sees `public_title` and `briefing`, and only the game master the rest.

    `length_s`: None: it ends when the game master ends it.
    """

    name: str
    title: str
    description: str = ""
    public_title: str = PUBLIC_TITLE
    briefing: str = ""
    family: str = ""
    source: Source = "scenario"
    length_s: float | None = None
    steps: tuple[Step, ...] = ()
    hints: tuple[Hint, ...] = ()
    questions: tuple[Question, ...] = ()
    branches: tuple[Branch, ...] = ()
    findings: tuple[Finding, ...] = ()
    drawn: Drawn | None = None
