"""The actions of game masters. Who may do what, and who needs the controls, was checked before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chaos.faults.catalogue import KINDS
from chaos.gameday.core.arguments import Arguments
from chaos.gameday.core.orders import Abort, Inject, LoadLevel, LoadStart, LoadStop, Preview, Release, Revert
from chaos.gameday.core.roles import NotNow, Person
from chaos.gameday.core.state import Game, Recorder
from chaos.gameday.core.visible_log import EVERYBODY, GAMEMASTERS
from reports.shared.errors import UserError, did_you_mean

__all__ = ["GAMEMASTER_ACTIONS", "abort", "hand_controls"]


# -- the controls -----------------------------------------------------------------------------------------------------
def hand_controls(to: Recorder, person: Person) -> None:
    """Record that a game master has the controls now."""
    to.fact("controls", person.name, {"to": person.name})
    to.show("controls", f"{person.name} has the controls", GAMEMASTERS)


def _take_controls(game: Game, to: Recorder, given: Arguments) -> str:
    given.finish()
    assert to.person is not None
    before = game.people.take(to.person)
    hand_controls(to, to.person)
    return "you have the controls" + (f"; {before.name} had them" if before is not None else "")


def _hand_over(game: Game, to: Recorder, given: Arguments) -> str:
    whom = given.name("to")
    given.finish()
    person = game.people.hand_over(whom)
    hand_controls(to, person)
    return f"{person.name} has the controls"


# -- its life ---------------------------------------------------------------------------------------------------------
def _start(game: Game, to: Recorder, given: Arguments) -> str:
    given.finish()
    if game.state != "briefing":
        game.check_not_ended()
        raise NotNow("the exercise has started already")
    if game.aborted:
        raise NotNow("everything was aborted\n    release first")
    game.clock.start(to.now_s)
    game.ticked_s = to.now_s
    game.state = "running"
    to.t_s = 0.0
    to.fact("started")
    to.show("state", "The exercise has started")
    return "started"


def _hold(game: Game, to: Recorder, given: Arguments) -> str:
    given.finish()
    game.check_started()
    if game.state == "held":
        raise NotNow("the exercise is on hold already")
    game.clock.hold(to.now_s)
    game.state = "held"
    to.fact("held")
    to.show("state", "The exercise is on hold")
    return "on hold; faults that are active stay"


def _resume(game: Game, to: Recorder, given: Arguments) -> str:
    given.finish()
    game.check_started()
    if game.aborted:
        raise NotNow("everything was aborted\n    release first: that resumes too")
    if game.state != "held":
        raise NotNow("the exercise is not on hold")
    _go_on(game, to)
    return "resumed"


def _go_on(game: Game, to: Recorder) -> None:
    game.clock.resume(to.now_s)
    game.ticked_s = to.now_s
    game.state = "running"
    game.notice = ""
    to.fact("resumed")
    to.show("state", "The exercise goes on")


def _end(game: Game, to: Recorder, given: Arguments) -> str:
    given.finish()
    game.check_not_ended()
    game.end(to, "the game master")
    return "the exercise has ended; everything is being restored"


def _abort(game: Game, to: Recorder, given: Arguments) -> str:
    given.finish()
    if game.state == "over":
        game.check_not_ended()
    abort(game, to)
    return "aborted: every fault is being reverted, and nothing can be injected until it is released"


def abort(game: Game, to: Recorder, why: str = "") -> None:
    """Revert everything now, and hold the exercise. May be repeated: what was not reverted is tried again."""
    if not game.aborted:
        game.load_before_abort = game.load
    game.aborted = True
    if game.state == "running":
        game.clock.hold(to.now_s)
        game.state = "held"
    to.fact("abort", why)
    to.show("state", "Abort: everything is being restored")
    to.order(Abort(to.name))


def _release(game: Game, to: Recorder, given: Arguments) -> str:
    given.finish()
    game.check_not_ended()
    if not game.aborted:
        raise NotNow("nothing was aborted")
    game.aborted = False
    to.fact("release")
    to.order(Release())
    if game.load_before_abort.running:
        to.order(LoadStart(game.load_before_abort.profile or None, to.name))
    if game.state == "held":
        _go_on(game, to)
    return "released: faults can be injected again"


# -- steps and faults -------------------------------------------------------------------------------------------------
def _play(game: Game, to: Recorder, given: Arguments) -> str:
    step = given.optional_name("step")
    given.finish()
    game.check_injectable()
    return _played(game, to, game.sheet.play(step, to.name), "played")


def _repeat(game: Game, to: Recorder, given: Arguments) -> str:
    step = given.name("step")
    given.finish()
    game.check_injectable()
    return _played(game, to, game.sheet.repeat(step, to.name), "repeated")


def _played(game: Game, to: Recorder, order: Inject, how: str) -> str:
    label = next(row.step.label for row in game.sheet.rows if row.step.id == order.step)
    to.order(order)
    to.fact("step", label, {"step": order.step, "state": how, "fault": None})
    to.show("step", f"{how}: {label}", GAMEMASTERS)
    return f"{how}: {label}"


def _skip(game: Game, to: Recorder, given: Arguments) -> str:
    step = given.name("step")
    given.finish()
    game.check_started()
    row = game.sheet.skip(step, to.name)
    to.fact("step", row.step.label, {"step": row.step.id, "state": "skipped", "fault": None})
    to.show("step", f"skipped: {row.step.label}", GAMEMASTERS)
    return f"skipped: {row.step.label}"


def _kind(given: Arguments) -> str:
    kind = given.name("kind")
    if kind not in KINDS:
        raise UserError(f'there is no fault "{kind[:40]}"\n    {did_you_mean(kind[:40], KINDS)}')
    return kind


def _inject(game: Game, to: Recorder, given: Arguments) -> str:
    kind, options, for_s = _kind(given), given.mapping("options"), given.duration("for")
    given.finish()
    game.check_injectable()
    to.order(Inject("", kind, options, for_s, to.name))
    return f"{kind} is being injected"


def _preview(game: Game, to: Recorder, given: Arguments) -> str:
    kind, options = _kind(given), given.mapping("options")
    given.finish()
    to.order(Preview(kind, options))
    return ""


def _revert(game: Game, to: Recorder, given: Arguments) -> str:
    fault = given.optional_name("fault")
    given.finish()
    game.check_not_ended()
    active = [one.id for one in game.faults.active]
    if fault is not None and fault not in game.faults.all:
        raise UserError(f'there is no fault "{fault[:40]}"\n    active: {", ".join(active) or "none"}')
    if not active or (fault is not None and fault not in active):
        raise NotNow("no fault is active" if fault is None else f"{fault} has ended already")
    to.order(Revert(fault, "by hand", to.name))
    return f"{fault or 'every fault'} is being reverted"


# -- load -------------------------------------------------------------------------------------------------------------
def _load_start(game: Game, to: Recorder, given: Arguments) -> str:
    profile = given.choice("profile", game.offer.profiles) if given.has("profile") else None
    given.finish()
    game.check_not_ended()
    if game.aborted:
        raise NotNow("everything was aborted: no load can be started\n    release first")
    to.order(LoadStart(profile, to.name))
    return "the load starts"


def _load_stop(game: Game, to: Recorder, given: Arguments) -> str:
    given.finish()
    game.check_not_ended()
    to.order(LoadStop(to.name))
    return "the load stops"


def _load_level(game: Game, to: Recorder, given: Arguments) -> str:
    factor = given.number("factor", 0.5, 5.0)
    given.finish()
    game.check_not_ended()
    to.order(LoadLevel(factor, to.name))
    return f"the load goes to {factor:g} times the profile's"


# -- hints, questions, findings ---------------------------------------------------------------------------------------
def _hint(game: Game, to: Recorder, given: Arguments) -> str:
    hint_id = given.optional_name("id")
    if hint_id is None:
        text = given.text("text")
    given.finish()
    game.check_started()
    if hint_id is not None:
        text = game.prompts.hint(hint_id).text
    game.give_hint(to, hint_id or "", text)
    return "the hint is given"


def _question(game: Game, to: Recorder, given: Arguments) -> str:
    planned = given.optional_name("id")
    if planned is None:
        text = given.text("text")
        who = given.optional_text("who").replace("\n", " ")[:80] or "The game master"
    given.finish()
    game.check_started()
    if planned is None:
        game.ask(to, "", who, text, None)
    else:
        one = game.prompts.question(planned)
        game.ask(to, one.id, one.who, one.text, one.answer_within_s)
    return "the question is asked"


def _finding(game: Game, to: Recorder, given: Arguments) -> str:
    finding = given.choice("id", [one.id for one in game.plan.findings])
    found = given.flag("found")
    given.finish()
    text = next(one.text for one in game.plan.findings if one.id == finding)
    if game.found.get(finding, False) == found:
        raise NotNow("it is marked so already")
    game.found[finding] = found
    to.fact("finding", text, {"id": finding, "found": found})
    how = "found" if found else "not found after all"
    to.show("step", f"{how}: {text}", EVERYBODY if game.state == "over" else GAMEMASTERS)
    return how


GAMEMASTER_ACTIONS: Final[dict[str, Callable[[Game, Recorder, Arguments], str]]] = {
    "take_controls": _take_controls,
    "hand_over": _hand_over,
    "start": _start,
    "hold": _hold,
    "resume": _resume,
    "end": _end,
    "abort": _abort,
    "release": _release,
    "play": _play,
    "repeat": _repeat,
    "skip": _skip,
    "inject": _inject,
    "preview": _preview,
    "revert": _revert,
    "load_start": _load_start,
    "load_stop": _load_stop,
    "load_level": _load_level,
    "hint": _hint,
    "question": _question,
    "finding": _finding,
}
"""What each action does. Returns the answer to the one who acted."""
