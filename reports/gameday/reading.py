"""From the facts of an exercise, of a record or of one that is under way, to the exercise. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from reports.gameday.causes import OTHER
from reports.gameday.exercise import (
    Exercise,
    FoundFinding,
    JudgedBelief,
    Operated,
    PlayedFault,
    Prompt,
    Said,
)
from reports.gameday.facts import LONGEST_TEXT, Fact, facts_of
from reports.gameday.judging import judge
from reports.gameday.periods import about
from reports.shared.plain_text import printable_line

__all__ = ["REPAIRED", "judge_beliefs", "read_exercise"]

REPAIRED: Final = "repair"
"""Why a fault was reverted, if an operation repaired it."""


def read_exercise(rows: Iterable[Mapping[str, Any]], now_s: float | None = None) -> Exercise:
    """The exercise of these facts (see `facts_of`).

    `now_s`: the time of one that is under way; None: it ends with its last fact.
    """
    exercise = Exercise()
    facts = facts_of(rows, exercise.problems)
    exercise.last_s = max([fact.t_s for fact in facts] + ([now_s] if now_s is not None else []), default=0.0)
    held_s: float | None = None
    for fact in facts:
        if fact.role and fact.who and fact.event != "question":  # it is the scenario's, not a person's
            roles = exercise.people.setdefault(fact.who, [])
            if fact.role not in roles:
                roles.append(fact.role)
        if fact.event == "held" and held_s is None:
            held_s = fact.t_s
        elif fact.event in ("resumed", "ended") and held_s is not None:
            exercise.holds.append((held_s, fact.t_s))
            held_s = None
        elif (apply := _APPLY.get(fact.event)) is not None:
            apply(exercise, fact)
        if fact.event == "ended":
            _ended(exercise, fact)
    if held_s is not None:
        exercise.holds.append((held_s, exercise.last_s))
    for operation in exercise.operations:
        _repair(exercise, operation)
    judge_beliefs(exercise)
    return exercise


def judge_beliefs(exercise: Exercise) -> None:
    """Judge every belief against the faults that it may be about: again, whenever the faults have changed."""
    exercise.beliefs = [
        replace(one, verdict=judge(one.cause, one.component, about(exercise.faults, one.t_s)))
        for one in exercise.beliefs
    ]


def _opened(exercise: Exercise, fact: Fact) -> None:
    exercise.plan = fact.data
    exercise.findings = [FoundFinding(id=one.id, text=one.text) for one in fact.data.findings]


def _started(exercise: Exercise, fact: Fact) -> None:
    exercise.started = True


def _ended(exercise: Exercise, fact: Fact) -> None:
    if exercise.ended_s is None:
        exercise.ended_s, exercise.ended_why = fact.t_s, fact.data.why or fact.text


def _restored(exercise: Exercise, fact: Fact) -> None:
    exercise.restored, exercise.restored_text, exercise.restored_s = fact.data.verified, fact.text, fact.t_s


def _injected(exercise: Exercise, fact: Fact) -> None:
    data = fact.data
    text = fact.text.removeprefix(f"{data.fault}: ") or f"{data.kind} on {', '.join(data.targets)}"
    exercise.faults.append(
        PlayedFault(
            fault=data.fault,
            step=data.step or "",
            kind=data.kind,
            text=text,
            targets=tuple(data.targets),
            cause=data.cause or OTHER,
            components=tuple(data.components),
            begin_s=fact.t_s,
        )
    )


def _reverted(exercise: Exercise, fact: Fact) -> None:
    for index, fault in enumerate(exercise.faults):
        if fault.fault == fact.data.fault and fault.end_s is None:
            exercise.faults[index] = replace(
                fault, end_s=fact.t_s, ended_by=fact.data.why, operation=fact.data.operation
            )


def _repair(exercise: Exercise, operation: Operated) -> None:
    """The fault that an operation repaired has ended, also if the record ends before it says so."""
    for index, fault in enumerate(exercise.faults):
        if fault.fault in operation.repairs and fault.begin_s <= operation.t_s:
            if fault.end_s is None:
                fault = replace(fault, end_s=operation.t_s, ended_by=REPAIRED)
            if fault.ended_by == REPAIRED and fault.operation is None:
                fault = replace(fault, operation=operation.n)
            exercise.faults[index] = fault


def _said(fact: Fact) -> Said:
    return Said(fact.t_s, fact.who, fact.role, fact.text)


def _belief(exercise: Exercise, fact: Fact) -> None:
    data = fact.data
    exercise.beliefs.append(
        JudgedBelief(
            n=data.n,
            t_s=fact.t_s,
            who=fact.who,
            text=fact.text,
            cause=data.cause,
            component=data.component,
            verdict="no fault",
        )
    )


def _operation(exercise: Exercise, fact: Fact) -> None:
    data = fact.data
    exercise.operations.append(
        Operated(
            n=data.n,
            t_s=fact.t_s,
            who=fact.who,
            text=fact.text or data.operation,
            operation=data.operation,
            arguments=data.arguments,
            ok=data.ok,
            repairs=tuple(data.repairs),
            ordered_s=data.ordered_s,
        )
    )


def _undone(exercise: Exercise, fact: Fact) -> None:
    for index, one in enumerate(exercise.operations):
        if one.n == fact.data.n and one.undone_s is None and fact.data.ok:
            exercise.operations[index] = replace(one, undone_s=fact.t_s)


def _question(exercise: Exercise, fact: Fact) -> None:
    exercise.questions.append(
        Prompt(id=fact.data.id, t_s=fact.t_s, who=fact.who, text=fact.text, answer_within_s=fact.data.answer_within_s)
    )


def _answer(exercise: Exercise, fact: Fact) -> None:
    for index, one in enumerate(exercise.questions):
        if one.id == fact.data.id and one.answer is None:
            exercise.questions[index] = replace(one, answer=_said(fact))


def _finding(exercise: Exercise, fact: Fact) -> None:
    for index, one in enumerate(exercise.findings):
        if one.id == fact.data.id:
            found = fact.data.found
            exercise.findings[index] = replace(one, t_s=fact.t_s if found else None, who=fact.who if found else "")
            return
    found_s = fact.t_s if fact.data.found else None  # the plan could not be read
    exercise.findings.append(FoundFinding(id=fact.data.id, text=fact.text or fact.data.id, t_s=found_s, who=fact.who))


def _abort(exercise: Exercise, fact: Fact) -> None:
    exercise.aborted = True
    exercise.warnings.append(replace(_said(fact), text=f"abort: {fact.text}" if fact.text else "abort"))


def _ordered(exercise: Exercise, fact: Fact) -> None:
    reason = printable_line(fact.data.reason)[:LONGEST_TEXT]
    if reason or fact.role == "gamemaster":
        text = fact.text or fact.data.do
        exercise.orders.append(replace(_said(fact), text=f"{text} (why: {reason})" if reason else text))


def _step(exercise: Exercise, fact: Fact) -> None:
    exercise.steps[fact.data.step] = fact.data.state


_APPLY: Final[dict[str, Callable[[Exercise, Fact], None]]] = {
    "opened": _opened,
    "started": _started,
    "step": _step,
    "injected": _injected,
    "reverted": _reverted,
    "noticed": lambda exercise, fact: exercise.notices.append(_said(fact)),
    "belief": _belief,
    "operation": _operation,
    "undone": _undone,
    "action": lambda exercise, fact: exercise.actions.append(_said(fact)),
    "note": lambda exercise, fact: exercise.notes.append(_said(fact)),
    "hint": lambda exercise, fact: exercise.hints.append(_said(fact)),
    "question": _question,
    "answer": _answer,
    "finding": _finding,
    "warning": lambda exercise, fact: exercise.warnings.append(_said(fact)),
    "guardrail": lambda exercise, fact: exercise.warnings.append(replace(_said(fact), text=f"guardrail: {fact.text}")),
    "abort": _abort,
    "restored": _restored,
    "ordered": _ordered,
}
"""What each event changes; `held`, `resumed` and `ended` change the holds too, and are read by `read_exercise`."""
