"""The actions of responders, and the notes of everybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chaos.gameday.core.arguments import Arguments
from chaos.gameday.core.beliefs import Belief, Notice
from chaos.gameday.core.operations import ordered_text
from chaos.gameday.core.orders import Operate, Undo
from chaos.gameday.core.roles import NotNow
from chaos.gameday.core.state import Game, Recorder
from chaos.gameday.core.visible_log import GAMEMASTERS
from reports.shared.errors import UserError, did_you_mean

__all__ = ["RESPONDER_ACTIONS"]

_MOST_BELIEFS: Final = 500


def _note(game: Game, to: Recorder, given: Arguments) -> str:
    text = given.text("text")
    given.finish()
    to.fact("note", text)
    to.show("note", text)
    return "noted"


def _record_action(game: Game, to: Recorder, given: Arguments) -> str:
    text = given.text("text")
    given.finish()
    if game.state == "over":
        game.check_not_ended()
    to.fact("action", text)
    to.show("action", text)
    return "recorded"


def _notice(game: Game, to: Recorder, given: Arguments) -> str:
    text = given.optional_text("text")
    given.finish()
    game.check_started()
    early = not game.faults.all
    _room_for_more(len(game.beliefs.notices))
    game.beliefs.notices.append(Notice(to.name, to.t_s, early))
    to.fact("noticed", text, {"early": early})
    to.show("notice", text or "I see something")
    if early:
        to.show("step", "nothing had been injected yet", GAMEMASTERS, who="")
    return "recorded: you see something"


def _belief(game: Game, to: Recorder, given: Arguments) -> str:
    text = given.optional_text("text")
    cause = given.choice("cause", list(game.judgement.causes))
    components = dict(game.offer.components)
    component = given.choice("component", list(components))
    given.finish()
    game.check_started()
    _room_for_more(len(game.beliefs.all))
    verdict = game.judgement.judge(cause, component, game.faults.about(to.t_s))
    belief = Belief(len(game.beliefs.all) + 1, to.name, to.t_s, text, cause, component, verdict)
    game.beliefs.all.append(belief)
    to.fact("belief", text, {"n": belief.n, "cause": cause, "component": component})
    what = f"{game.judgement.causes[cause]}: {components[component]}"
    to.show("belief", f"{text} ({what})" if text else what)
    return "your belief is recorded"


def _operate(game: Game, to: Recorder, given: Arguments) -> str:
    name = given.name("operation")
    arguments = given.mapping("arguments")
    given.finish()
    operation = game.offer.operation(name)
    if operation is None:
        names = [one.id for one in game.offer.operations]
        raise UserError(f'there is no operation "{name[:40]}"\n    {did_you_mean(name[:40], names)}')
    checked = operation.check(arguments)
    game.check_started()
    ordered = game.operations.order(name, checked, to.name, to.t_s)
    to.show("operation", ordered_text(name, checked))
    to.order(Operate(ordered.n, name, checked, to.name))
    return ordered_text(name, checked)


def _undo(game: Game, to: Recorder, given: Arguments) -> str:
    n = given.whole("n")
    given.finish()
    game.check_started()
    one = game.operations.undo(n, to.name)
    to.show("operation", f"undoes: {one.text}")
    to.order(Undo(n, to.name))
    return f"is being undone: {one.text}"


def _answer(game: Game, to: Recorder, given: Arguments) -> str:
    question, text = given.name("question"), given.text("text")
    given.finish()
    if game.state == "over":
        game.check_not_ended()
    asked = game.prompts.answer(question, to.name, text, to.t_s)
    to.fact("answer", text, {"id": asked.id})
    to.show("answer", f"to {asked.who}: {text}")
    return "answered"


def _room_for_more(count: int) -> None:
    if count >= _MOST_BELIEFS:
        raise NotNow(f"{_MOST_BELIEFS} are recorded already\n    add a note")


RESPONDER_ACTIONS: Final[dict[str, Callable[[Game, Recorder, Arguments], str]]] = {
    "note": _note,
    "notice": _notice,
    "belief": _belief,
    "operate": _operate,
    "undo": _undo,
    "answer": _answer,
    "record_action": _record_action,
}
"""What each action does. Returns the answer to the one who acted."""
