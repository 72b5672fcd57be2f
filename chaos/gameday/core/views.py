"""The document of each role. Each part is built for the roles that may have it; nothing is removed afterwards.

everybody              exercise, live, events, people, controls, review (when it is over)
responder, gamemaster  responder, log
gamemaster             gamemaster
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chaos.gameday.core.exercise import Exercise
from chaos.gameday.core.live_view import live_view
from chaos.gameday.core.review import beliefs_with_verdicts, review
from chaos.gameday.core.roles import Role
from chaos.gameday.core.run_sheet import SheetRow
from chaos.gameday.core.state import Game

__all__ = ["view"]


def view(
    exercise: Exercise,
    role: Role,
    live: Mapping[str, Any],
    faults: Sequence[Mapping[str, Any]],
    guardrails: Sequence[Mapping[str, Any]],
    now_s: float,
) -> dict[str, Any]:
    """The document of a role, without `seq` and `at`. `faults` and `guardrails` are for game masters only."""
    game = exercise.game
    seen = Role.GAMEMASTER if game.state == "over" else role  # when it is over, everybody sees every event
    document: dict[str, Any] = {
        "role": role.value,
        "exercise": _exercise(game, role, now_s),
        "live": live_view(live, role, _in_force(game)),
        "events": game.log.last(seen),
        "log": [] if role is Role.AUDIENCE else game.log.all(seen),
        "people": [
            {"id": one.id, "name": one.name, "role": one.role.value, "connected": game.people.connected(one.id)}
            for one in game.people.all.values()
        ],
        "controls": _controls(game),
        "review": review(game),
    }
    if role in (Role.RESPONDER, Role.GAMEMASTER):
        document["responder"] = _responder(game)
    if role is Role.GAMEMASTER:
        document["gamemaster"] = _gamemaster(game, faults, guardrails, now_s)
    return document


def _exercise(game: Game, role: Role, now_s: float) -> dict[str, Any]:
    length_s = game.plan.length_s
    if game.plan.drawn is not None and role is not Role.GAMEMASTER and game.state != "over":
        length_s = None  # it would tell which one was drawn to those who know what there is
    return {
        "title": game.plan.public_title,
        "state": game.state,
        "elapsed_s": round(game.clock.elapsed_s(now_s), 1),
        "length_s": None if length_s is None else round(length_s + game.clock.held_s(now_s), 1),
        "briefing": game.plan.briefing,
        "aborted": game.aborted,
        "announcement": _announcement(game),
        "notice": game.notice if now_s < game.notice_until_s else "",
    }


def _announcement(game: Game) -> str:
    if game.state == "over":
        verified = game.restored is not None and game.restored[0]
        done = "Everything is restored and verified." if verified else "Not everything could be verified."
        return f"The exercise is over. {done}"
    if game.state == "ended":
        return "The exercise has ended. Everything is being restored."
    if game.aborted:
        return "Aborted. Everything is being restored."
    return "The exercise is on hold." if game.state == "held" else ""


def _controls(game: Game) -> dict[str, str] | None:
    holder = game.people.controls
    return None if holder is None else {"id": holder.id, "name": holder.name}


def _in_force(game: Game) -> list[dict[str, Any]]:
    return [{"n": one.n, "text": one.text, "since_s": round(one.since_s, 1)} for one in game.operations.in_force]


def _responder(game: Game) -> dict[str, Any]:
    first = game.beliefs.notices[0] if game.beliefs.notices else None
    return {
        "noticed": None if first is None else {"who": first.who, "t_s": round(first.t_s, 1)},
        "beliefs": [
            {
                "n": belief.n,
                "who": belief.who,
                "t_s": round(belief.t_s, 1),
                "text": belief.text,
                "cause": belief.cause,
                "component": belief.component,
            }
            for belief in game.beliefs.all
        ],
        "causes": [{"id": name, "label": label} for name, label in game.judgement.causes.items()],
        "components": [{"id": name, "label": label} for name, label in game.offer.components],
        "operations": [operation.document() for operation in game.offer.operations],
        "questions": _asked(game),
        "hints": [{"t_s": round(hint.t_s, 1), "text": hint.text} for hint in game.prompts.given],
    }


def _asked(game: Game) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id,
            "who": one.who,
            "t_s": round(one.t_s, 1),
            "text": one.text,
            "answer_within_s": one.answer_within_s,
            "answered": None
            if one.answer is None
            else {"who": one.answer.who, "t_s": round(one.answer.t_s, 1), "text": one.answer.text},
        }
        for one in game.prompts.asked
    ]


def _gamemaster(
    game: Game, faults: Sequence[Mapping[str, Any]], guardrails: Sequence[Mapping[str, Any]], now_s: float
) -> dict[str, Any]:
    plan, following = game.plan, game.sheet.next
    given = {hint.id for hint in game.prompts.given}
    asked = {question.planned for question in game.prompts.asked}
    return {
        "title": plan.title,
        "description": plan.description,
        "family": plan.family,
        "drawn": None if plan.drawn is None else {"seed": plan.drawn.seed, "family": plan.drawn.family},
        "sheet": [_row(game, row, row is following) for row in game.sheet.rows],
        "sheet_s": round(game.clock.sheet_s(now_s), 1),
        "held": game.clock.held,
        "faults": [dict(fault) for fault in faults],
        "catalogue": [dict(kind) for kind in game.offer.catalogue],
        "hints": [
            {"id": hint.id, "after_s": hint.after_s, "text": hint.text, "given": hint.id in given}
            for hint in game.prompts.hints
        ],
        "questions": [
            {
                "id": one.id,
                "at_s": one.at_s,
                "who": one.who,
                "text": one.text,
                "answer_within_s": one.answer_within_s,
                "asked": one.id in asked,
            }
            for one in game.prompts.questions
        ],
        "branches": [
            {
                "id": branch.id,
                "at_s": branch.at_s,
                "when": branch.when,
                "text": branch.text,
                "taken": game.branches.get(branch.id),
            }
            for branch in plan.branches
        ],
        "findings": [{"id": one.id, "text": one.text, "found": game.found.get(one.id, False)} for one in plan.findings],
        "guardrails": [dict(one) for one in guardrails],
        "beliefs": beliefs_with_verdicts(game),
        "noticed_early": [{"who": one.who, "t_s": round(one.t_s, 1)} for one in game.beliefs.notices if one.early],
        "profiles": list(game.offer.profiles),
        "aborted": game.aborted,
    }


def _row(game: Game, row: SheetRow, following: bool) -> dict[str, Any]:
    step = row.step
    return {
        "id": step.id,
        "label": step.label,
        "kind": step.kind,
        "at_s": step.at_s,
        "for_s": step.for_s,
        "state": "next" if following else row.state,
        "played": row.played,
        "who": row.who,
        "fault": row.fault,
        "preview": game.previews.get(step.id, ""),
    }
