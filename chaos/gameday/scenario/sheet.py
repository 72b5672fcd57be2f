"""Everything of a plan in the order of its times, as rows for people who read it before the exercise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from chaos.gameday.core.plan import Condition, Hint, Plan, Question, Step, Unless
from reports.shared.documents import duration_text

__all__ = ["SheetRow", "clock_text", "sheet"]

What = Literal["fault", "hint", "event", "branch"]

_ORDER: Final[tuple[What, ...]] = ("branch", "fault", "event", "hint")
"""At one time."""

_IF: Final[dict[Condition, str]] = {
    "noticed": "if people have noticed it",
    "not_noticed": "if nobody has noticed it",
    "diagnosed": "if people know the cause",
    "not_diagnosed": "if nobody knows the cause",
    "repaired": "if it is repaired",
    "not_repaired": "if it is not repaired",
}
_UNLESS: Final[dict[Unless, str]] = {
    "": "",
    "noticed": "unless people have noticed it",
    "diagnosed": "unless people know the cause",
    "repaired": "unless it is repaired",
}


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One thing that happens. `at_s`: seconds on the clock of the run sheet."""

    at_s: float
    what: What
    text: str


def sheet(plan: Plan) -> list[SheetRow]:
    """Each step, hint, event and branch, with the condition on which it comes."""
    rows = list(_rows(plan.steps, plan.hints, plan.questions, ""))
    for branch in plan.branches:
        ends = " The exercise ends then." if branch.end else ""
        rows.append(SheetRow(branch.at_s, "branch", f"{branch.id}, {_IF[branch.when]}: {branch.text}{ends}"))
        rows.extend(_rows(branch.steps, branch.hints, branch.questions, branch.id))
    return sorted(rows, key=lambda row: (row.at_s, _ORDER.index(row.what)))


def _rows(
    steps: Sequence[Step], hints: Sequence[Hint], questions: Sequence[Question], branch: str
) -> Iterator[SheetRow]:
    only = f" (only with {branch})" if branch else ""
    for step in steps:
        until = "until it is repaired or reverted" if step.for_s is None else f"for {duration_text(step.for_s)}"
        yield SheetRow(step.at_s, "fault", f"{step.id}: {step.label}, {until}{only}")
    for hint in hints:
        unless = f" ({_UNLESS[hint.unless]})" if hint.unless else ""
        yield SheetRow(hint.after_s, "hint", f"{hint.text}{unless}{only}")
    for question in questions:
        answer = question.answer_within_s
        within = f" (answer within {duration_text(answer)})" if answer is not None else ""
        yield SheetRow(question.at_s, "event", f"{question.who}: {question.text}{within}{only}")


def clock_text(at_s: float) -> str:
    """Minutes and seconds since the start: `1:05`."""
    minutes, seconds = divmod(round(at_s), 60)
    return f"{minutes}:{seconds:02}"
