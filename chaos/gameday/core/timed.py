"""What happens by itself at its time on the run sheet: steps, hints, questions, branches, the end."""

from __future__ import annotations

from typing import Final

from chaos.gameday.core.plan import Branch
from chaos.gameday.core.roles import Role
from chaos.gameday.core.state import Game, Recorder
from chaos.gameday.core.visible_log import GAMEMASTERS

__all__ = ["LONGEST_GAP_S", "tick"]

LONGEST_GAP_S: Final = 30.0
"""Between two ticks, seconds. After a longer one (the machine slept) the exercise is held: nothing is made up for."""
_NOTICE_S: Final = 300.0


def tick(game: Game, to: Recorder) -> None:
    """Do everything whose time has come."""
    before_s, game.ticked_s = game.ticked_s, to.now_s
    if game.state != "running":
        return
    if before_s is not None and to.now_s - before_s > LONGEST_GAP_S:
        _slept(game, to, before_s)
        return
    sheet_s = game.clock.sheet_s(to.now_s)
    length_s = game.plan.length_s
    if length_s is not None and sheet_s >= length_s:
        game.end(to, "its length")
        return
    for branch in game.plan.branches:
        if branch.id not in game.branches and branch.at_s <= sheet_s:
            _decide(game, to, branch)
            if game.state != "running":
                return
    for row in game.sheet.due(sheet_s):
        to.order(game.sheet.play(row.step.id, ""))
        to.fact("step", row.step.label, {"step": row.step.id, "state": "played", "fault": None})
        to.show("step", f"played at its time: {row.step.label}", GAMEMASTERS)
    for hint in game.prompts.due_hints(sheet_s):
        if game.is_needed(hint):
            game.give_hint(to, hint.id, hint.text)
        else:
            game.prompts.withheld.add(hint.id)
    for question in game.prompts.due_questions(sheet_s):
        game.ask(to, question.id, question.who, question.text, question.answer_within_s)


def _slept(game: Game, to: Recorder, before_s: float) -> None:
    game.clock.hold(before_s)
    game.state = "held"
    text = f"This exercise did not run for {to.now_s - before_s:.0f} s (the machine slept?): it is on hold"
    game.notice, game.notice_until_s = text, to.now_s + _NOTICE_S
    to.fact("warning", text)
    to.fact("held", text)
    to.show("warning", text)


def _decide(game: Game, to: Recorder, branch: Branch) -> None:
    taken = game.holds(branch.when)
    game.branches[branch.id] = taken
    to.fact("branch", branch.text, {"id": branch.id, "taken": taken})
    how = "is taken" if taken else "is not taken"
    to.show("step", f"branch {branch.id} {how} ({branch.when.replace('_', ' ')}): {branch.text}", (Role.GAMEMASTER,))
    if not taken:
        return
    game.sheet.add(branch.steps)
    game.prompts.add(branch.hints, branch.questions)
    if branch.end:
        game.end(to, f"branch {branch.id}")
