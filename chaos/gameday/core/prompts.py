"""Hints and questions: those of the plan, and those that the game master adds.

A question gets a number when it is asked, so that its id says nothing about those that are still to come.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chaos.gameday.core.plan import Hint, Question
from chaos.gameday.core.roles import NotNow
from reports.shared.errors import UserError, did_you_mean

__all__ = ["Answer", "AskedQuestion", "GivenHint", "Prompts"]


@dataclass(frozen=True, slots=True)
class GivenHint:
    """A hint that was given. `id`: that of the plan; "" of the game master's own."""

    id: str
    t_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a question."""

    who: str
    t_s: float
    text: str


@dataclass(slots=True)
class AskedQuestion:
    """A question that was asked. `planned`: its id in the plan; "" of the game master's own."""

    id: str
    planned: str
    who: str
    t_s: float
    text: str
    answer_within_s: float | None = None
    answer: Answer | None = None


class Prompts:
    """What was given and asked, and what is still to come."""

    def __init__(self, hints: Iterable[Hint], questions: Iterable[Question]) -> None:
        self.hints: list[Hint] = []
        self.questions: list[Question] = []
        self.given: list[GivenHint] = []
        self.asked: list[AskedQuestion] = []
        self.withheld: set[str] = set()
        """Hints whose time has come when they were not needed any more."""
        self.add(hints, questions)

    def add(self, hints: Iterable[Hint], questions: Iterable[Question]) -> None:
        """Add what a branch brings."""
        self.hints.extend(hints)
        self.hints.sort(key=lambda hint: hint.after_s)
        self.questions.extend(questions)
        self.questions.sort(key=lambda question: question.at_s)

    def due_hints(self, sheet_s: float) -> list[Hint]:
        """The hints whose time has come, and about which nothing was decided yet."""
        over = {given.id for given in self.given} | self.withheld
        return [hint for hint in self.hints if hint.after_s <= sheet_s and hint.id not in over]

    def due_questions(self, sheet_s: float) -> list[Question]:
        """The questions whose time has come."""
        asked = {question.planned for question in self.asked}
        return [one for one in self.questions if one.at_s <= sheet_s and one.id not in asked]

    def question(self, question_id: str) -> Question:
        """A planned question that was not asked yet. Raises NotNow, or UserError where there is none."""
        found = next((one for one in self.questions if one.id == question_id), None)
        if found is None:
            remedy = did_you_mean(question_id, [one.id for one in self.questions]) or "the plan has none: write a text"
            raise UserError(f'there is no planned question "{question_id[:40]}"\n    {remedy}')
        if any(asked.planned == question_id for asked in self.asked):
            raise NotNow("this question was asked already")
        return found

    def hint(self, hint_id: str) -> Hint:
        """A planned hint that was not given yet. Raises NotNow, or UserError where there is none."""
        found = next((hint for hint in self.hints if hint.id == hint_id), None)
        if found is None:
            remedy = did_you_mean(hint_id, [hint.id for hint in self.hints]) or "the plan has none: write a text"
            raise UserError(f'there is no hint "{hint_id[:40]}"\n    {remedy}')
        if any(given.id == hint_id for given in self.given):
            raise NotNow("this hint was given already")
        return found

    def give(self, hint_id: str, text: str, t_s: float) -> None:
        """A hint is given."""
        self.given.append(GivenHint(hint_id, t_s, text))

    def ask(self, planned: str, who: str, text: str, t_s: float, answer_within_s: float | None) -> AskedQuestion:
        """A question is asked."""
        asked = AskedQuestion(f"q{len(self.asked) + 1}", planned, who, t_s, text, answer_within_s)
        self.asked.append(asked)
        return asked

    def answer(self, question_id: str, who: str, text: str, t_s: float) -> AskedQuestion:
        """Raises NotNow where it was answered, UserError where there is no such question."""
        found = next((one for one in self.asked if one.id == question_id), None)
        if found is None:
            raise UserError(f'there is no question "{question_id[:40]}"\n    answer one that was asked')
        if found.answer is not None:
            raise NotNow(f"{found.answer.who} has answered this already\n    add a note")
        found.answer = Answer(who, t_s, text)
        return found
