"""The exercise: one object, which the shell tells what people did, what time it is, and what became of its orders.

    made = Exercise(plan, offer, judgement)
    outcome = made.opened(now_s)
    outcome = made.act(person, "start", {}, now_s)      # raises NotAllowed, NotNow, UserError
    outcome = made.tick(now_s)                          # once a second

Each returns an `Outcome`: facts for the record, and orders. `now_s`: seconds of any clock that does not go back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from chaos.gameday.core.arguments import Arguments, free_text
from chaos.gameday.core.gamemaster_actions import GAMEMASTER_ACTIONS, abort, hand_controls
from chaos.gameday.core.judgement import Judgement
from chaos.gameday.core.offer import Offer
from chaos.gameday.core.operations import failed_text
from chaos.gameday.core.orders import Inject, Revert, RevertReason
from chaos.gameday.core.outcome import Outcome
from chaos.gameday.core.plan import Plan
from chaos.gameday.core.responder_actions import RESPONDER_ACTIONS
from chaos.gameday.core.roles import NEEDS_CONTROLS, Person, Role, check_allowed
from chaos.gameday.core.state import Game, Load, Recorder
from chaos.gameday.core.timed import tick
from chaos.gameday.core.visible_log import EVERYBODY, GAMEMASTERS
from reports.shared.errors import UserError

__all__ = ["Exercise"]

_NOTICE_S: Final = 300.0


class Exercise:
    """An exercise. `game` is its state, which `chaos.gameday.core.views` reads."""

    def __init__(self, plan: Plan, offer: Offer, judgement: Judgement) -> None:
        self.game = Game(plan, offer, judgement)

    # -- people -------------------------------------------------------------------------------------------------------
    def opened(self, now_s: float) -> Outcome:
        """The pages are served from now on."""
        to, plan = self._at(now_s), self.game.plan
        steps = [
            {"id": step.id, "label": step.label, "kind": step.kind, "at_s": step.at_s, "for_s": step.for_s}
            for step in plan.steps
        ]
        data = {
            "title": plan.title,
            "name": plan.name,
            "source": plan.source,
            "family": plan.family,
            "length_s": plan.length_s,
            "drawn": None if plan.drawn is None else {"seed": plan.drawn.seed, "family": plan.drawn.family},
            "briefing": plan.briefing,
            "description": plan.description,
            "findings": [{"id": finding.id, "text": finding.text} for finding in plan.findings],
            "steps": steps,
        }
        to.fact("opened", plan.title, data)
        return to.outcome

    def entered(self, person: Person, now_s: float) -> Outcome:
        """Somebody has entered. The first game master gets the controls."""
        to = self._at(now_s, person)
        new, first = self.game.people.enter(person)
        if new:
            to.fact("entered", "", {"id": person.id})
        if first:
            hand_controls(to, person)
        return to.outcome

    def connected(self, person: Person, streams: int, now_s: float) -> Outcome:
        """So many pages of this person are connected now."""
        self.game.people.connect(person, streams)
        return self._at(now_s).outcome

    def act(self, person: Person, do: str, arguments: Mapping[str, Any], now_s: float) -> Outcome:
        """Somebody acts. Raises NotAllowed, NotNow, or UserError for wrong arguments; then nothing has changed.

        Each action may have a `reason`, which is recorded with its facts.
        """
        check_allowed(person, do)
        if do in NEEDS_CONTROLS:
            self.game.people.check_controls(person)
        if not isinstance(arguments, Mapping):
            raise UserError("arguments must be a mapping of names to values")
        given = {name: value for name, value in arguments.items() if name != "reason"}
        to = self._at(now_s, person)
        to.reason = _reason(arguments.get("reason"))
        actions = RESPONDER_ACTIONS if do in RESPONDER_ACTIONS else GAMEMASTER_ACTIONS
        to.answer(actions[do](self.game, to, Arguments(do, given)))
        if to.outcome.orders and do != "preview":
            to.fact("ordered", to.outcome.text, {"do": do, "arguments": given})
        return to.outcome

    def tick(self, now_s: float) -> Outcome:
        """Do what is due. To be called once a second."""
        to = self._at(now_s)
        tick(self.game, to)
        return to.outcome

    # -- what became of the orders -------------------------------------------------------------------------------------
    def injected(
        self, order: Inject, fault: str, targets: Sequence[str], params: Mapping[str, Any], now_s: float
    ) -> Outcome:
        """A fault is active. One that comes after an abort or the end is reverted at once."""
        to, game = self._at(now_s), self.game
        game.began(order, fault, tuple(targets), params, to.t_s)
        known = game.faults.all[fault]
        data = {
            "fault": fault,
            "step": order.step,
            "kind": order.kind,
            "targets": list(targets),
            "params": dict(params),
            "cause": known.cause,
            "components": list(known.components),
        }
        text = f"{order.kind} on {', '.join(targets)}"
        to.fact("injected", f"{fault}: {text}", data, by=order.who, role=Role.GAMEMASTER)
        to.show("fault", f"injected {fault}: {text}", GAMEMASTERS, who=order.who)
        if game.aborted or game.state in ("ended", "over"):
            to.order(Revert(fault, "abort" if game.aborted else "end", ""))
        return to.outcome

    def inject_failed(self, order: Inject, why: str, now_s: float) -> Outcome:
        """A fault could not be injected."""
        to = self._at(now_s)
        self.game.sheet.failed(order.step)
        if order.step:
            to.fact("step", why, {"step": order.step, "state": "failed", "fault": None})
        to.fact("warning", f"{order.kind} could not be injected: {why}")
        to.show("fault", f"{order.kind} could not be injected: {why}", GAMEMASTERS, who=order.who)
        return to.outcome

    def reverted(self, fault: str, why: RevertReason, now_s: float, who: str = "") -> Outcome:
        """A fault is reverted and verified. `who` ordered it, where somebody did.

        A restart ends the faults of its process, also where nobody in the exercise ordered it: then it was by hand.
        """
        to = self._at(now_s)
        known = self.game.faults.all.get(fault)
        if known is None or not known.active:
            return to.outcome
        if why == "repair" and known.repaired_by is None:
            known.repaired_by = self.game.repairing(known)
        if why in ("repair", "time"):
            why = "repair" if known.repaired_by is not None else "by hand" if why == "repair" else why
        self.game.faults.end(fault, why, to.t_s)
        self.game.sheet.ended(fault)
        operation = known.repaired_by if why == "repair" else None
        if operation is not None:
            who = self.game.operations.all[operation].who
        role = Role.RESPONDER if why == "repair" else Role.GAMEMASTER
        data = {"fault": fault, "why": why, "operation": operation}
        to.fact("reverted", f"{fault}: {known.order.kind}", data, by=who, role=role)
        to.show("fault", f"reverted {fault} ({why}): {known.order.kind}", GAMEMASTERS, who=who)
        return to.outcome

    def operated(self, n: int, ok: bool, text: str, now_s: float) -> Outcome:
        """An operation was carried out, or failed. Its orders revert the faults that it repairs.

        Responders see a text of the exercise; `text`, which may name a fault, is for game masters and the record.
        """
        to = self._at(now_s)
        known = self.game.operations.all.get(n)
        ordered_s = known.since_s if known is not None else 0.0
        one = self.game.operations.finish(n, ok, to.t_s)
        if one is None:
            return to.outcome
        repaired = self.game.faults.repaired_by(n, one.operation, one.arguments) if ok else []
        data = {"n": n, "operation": one.operation, "arguments": dict(one.arguments), "ok": ok}
        shown = one.text if ok else failed_text(one.operation, one.arguments)
        data |= {"repairs": [fault.id for fault in repaired], "ordered_s": round(ordered_s, 3)}
        to.fact("operation", shown if ok else text or shown, data, by=one.who, role=Role.RESPONDER)
        to.show("operation", shown, EVERYBODY, who=one.who)
        if not ok and text:
            to.show("operation", text, GAMEMASTERS, who=one.who)
        for fault in repaired:
            if fault.active:
                to.order(Revert(fault.id, "repair", one.who))
        return to.outcome

    def undone(self, n: int, ok: bool, text: str, now_s: float) -> Outcome:
        """An operation was undone, or could not be."""
        to = self._at(now_s)
        one = self.game.operations.undone(n, ok)
        if one is None:
            return to.outcome
        to.fact("undone", text or one.text, {"n": n, "ok": ok}, by=one.undone_by, role=Role.RESPONDER)
        shown = f"undone: {one.text}" if ok else f"could not be undone: {one.text}"
        to.show("operation", shown, who=one.undone_by)
        return to.outcome

    def undone_elsewhere(self, n: int, by: str, now_s: float) -> Outcome:
        """An operation is no longer in force, and nobody in the exercise undid it. Idempotent."""
        one = self.game.operations.all.get(n)
        if one is None or one.state != "in force":
            return Outcome()
        self.game.operations.undo(n, by)
        return self.undone(n, True, "", now_s)

    def load_changed(self, *, running: bool, profile: str, level: float, now_s: float, who: str = "") -> Outcome:
        """The load was started, stopped or scaled."""
        to = self._at(now_s)
        if self.game.load == Load(running, profile, level):
            return to.outcome
        self.game.load = Load(running, profile, level)
        text = f"the load runs: {profile}, {level:g} times" if running else "the load is stopped"
        to.fact("load", text, {"running": running, "profile": profile, "level": level}, by=who, role=Role.GAMEMASTER)
        to.show("controls", text, GAMEMASTERS, who=who)
        return to.outcome

    def warned(self, text: str, now_s: float, *, everybody: bool = False) -> Outcome:
        """Something about the exercise itself is wrong. `everybody`: the text tells nothing about faults."""
        to = self._at(now_s)
        to.fact("warning", text)
        to.show("warning", text, EVERYBODY if everybody else GAMEMASTERS)
        if everybody:
            self.game.notice, self.game.notice_until_s = text, now_s + _NOTICE_S
        return to.outcome

    def tripped(self, text: str, value: float | None, now_s: float) -> Outcome:
        """A guardrail says that it is too much: everything is aborted. Once: while the load ends, it says so again."""
        to = self._at(now_s)
        if self.game.aborted or self.game.state in ("ended", "over"):
            return to.outcome
        to.fact("guardrail", text, {"value": value})
        to.show("warning", f"guardrail: {text}", GAMEMASTERS)
        abort(self.game, to, f"guardrail: {text}")
        return to.outcome

    def aborted_by_command(self, now_s: float) -> Outcome:
        """A command from another terminal has aborted everything."""
        to, game = self._at(now_s), self.game
        if not game.aborted and game.state not in ("ended", "over"):
            abort(game, to, "by the command brownout abort")
        return to.outcome

    def stopped(self, why: str, now_s: float) -> Outcome:
        """The game day ends without a word of a game master: the stack failed, or its process was told to end."""
        to = self._at(now_s)
        if self.game.state not in ("ended", "over"):
            self.game.end(to, why)
        return to.outcome

    def restored(self, verified: bool, text: str, now_s: float) -> Outcome:
        """Everything was reverted after the end: the exercise is over, and the truth is shown."""
        to, game = self._at(now_s), self.game
        if game.state != "ended":
            return to.outcome
        game.state, game.restored = "over", (verified, text)
        to.fact("restored", text, {"verified": verified, "faults": len(game.faults.all)})
        done = "restored and verified" if verified else "restored as far as possible, and not everything is verified"
        to.show("state", f"The exercise is over: everything is {done}")
        return to.outcome

    def reviewed(self, times: Sequence[Mapping[str, Any]], files: Sequence[str], now_s: float) -> Outcome:
        """The times of people and system, and the files of the review, are known."""
        self.game.times, self.game.files = tuple(times), tuple(files)
        return self._at(now_s).outcome

    def previewed(self, previews: Mapping[str, str]) -> None:
        """What each step would hit, by its id."""
        self.game.previews = dict(previews)

    def _at(self, now_s: float, person: Person | None = None) -> Recorder:
        return Recorder(self.game, now_s, person)


def _reason(given: object) -> str:
    return free_text(given, "reason") if given not in (None, "") else ""
