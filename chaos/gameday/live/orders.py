"""Carries out what the exercise orders, with the commands of chaos by hand: the same checks, leases and record.

What commands from another terminal do is told to the exercise too: see `adopt`.

What goes wrong with an operation can name a fault. The responder who ordered it is told a text of the exercise, the
game master and the record get the whole one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from chaos.by_hand.controls import HandControls
from chaos.by_hand.injection import injection, preview
from chaos.by_hand.restarts import RESTARTS
from chaos.gameday.core.exercise import Exercise
from chaos.gameday.core.operations import failed_text
from chaos.gameday.core.orders import (
    Abort,
    End,
    Inject,
    LoadLevel,
    LoadStart,
    LoadStop,
    Operate,
    Order,
    Preview,
    Release,
    Revert,
    Undo,
)
from chaos.gameday.core.outcome import Outcome
from chaos.gameday.live.fault_watch import BY_TERMINAL, FaultWatch
from chaos.runner.deployment import GATEWAY
from reports.shared.errors import BrownoutError, TargetFailed, UserError

__all__ = ["Orders"]

_NOBODY_LEAVES: Final = asyncio.Event  # a command of chaos by hand may ask whether its client has left


class Orders:
    """`take(outcome)` records the facts of an outcome; `clock` is that of the exercise, seconds.

    `on_end(why)` is called when the exercise orders its end.
    """

    def __init__(
        self,
        exercise: Exercise,
        controls: HandControls,
        clock: Callable[[], float],
        take: Callable[[Outcome], None],
        say: Callable[[str], None],
        on_end: Callable[[str], None],
    ) -> None:
        self._exercise = exercise
        self._controls = controls
        self._clock = clock
        self._take = take
        self._say = say
        self._on_end = on_end
        self.faults = FaultWatch(exercise, controls, clock, self.in_background)
        self._injecting = 0
        """Injections of the exercise that are under way: their faults are not those of another terminal."""
        self._releasing = 0
        """Releases that are under way: the abort that they end is not a new one."""
        self._load_by = ""
        """Who changes the load now."""
        self._numbers: dict[int, int] = {}
        """The number of each operation in the commands of chaos by hand, by that in the exercise."""
        self._tasks: set[asyncio.Task[Any]] = set()

    # -- all orders of an outcome -------------------------------------------------------------------------------------
    async def carry_out(self, outcome: Outcome) -> str:
        """Record the facts, carry out the orders one after the other. Returns the text of the last that has one.

        Raises the error of the first order that failed, after the others.
        """
        self._take(outcome)
        text, failed = outcome.text, None
        for order in outcome.orders:
            try:
                text = await self._one(order) or text
            except Exception as error:  # the other orders are carried out all the same
                failed = failed or error
        if failed is not None:
            raise failed
        return text

    def in_background(self, outcome: Outcome) -> None:
        """As `carry_out`, while the clock goes on. An error is said, and the exercise is warned."""
        if not outcome.orders:
            self._take(outcome)
            return
        task = asyncio.create_task(self.carry_out(outcome))
        self._tasks.add(task)
        task.add_done_callback(self._background_done)

    def _background_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._say(str(error))

    async def finish(self) -> None:
        """Wait for what is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _one(self, order: Order) -> str:
        match order:
            case Inject():
                return await self._inject(order)
            case Revert():
                return await self._revert(order)
            case Operate():
                return await self._operate(order)
            case Undo():
                return await self._undo(order)
            case Abort():
                return await self._ask({"do": "abort"})
            case Release():
                return await self._release()
            case End():
                self._on_end(order.why)
                return ""
            case Preview():
                return self._preview(order)
            case LoadStart() | LoadStop() | LoadLevel():
                return await self._load(order)
        raise AssertionError(order)

    async def _ask(self, request: Mapping[str, Any]) -> str:
        return str((await self._answer(request)).get("text") or "")

    async def _release(self) -> str:
        self._releasing += 1
        try:
            return await self._ask({"do": "release"})
        finally:
            self._releasing -= 1

    async def _answer(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        return await self._controls(request, self._say, _NOBODY_LEAVES())

    def adopt(self) -> None:
        """Tell the exercise what commands from another terminal did, and which faults are over. Idempotent."""
        if not self._injecting:
            self.faults.adopt()
        self.faults.note_reverted()
        if self._controls.aborted and not self._exercise.game.aborted and not self._releasing:
            self.in_background(self._exercise.aborted_by_command(self._clock()))
        self._note_undone()
        self.note_load()

    # -- faults -------------------------------------------------------------------------------------------------------
    async def _inject(self, order: Inject) -> str:
        options = dict(order.options)
        if order.for_s is not None:
            options["for"] = f"{order.for_s:g}s"
        self._injecting += 1
        try:
            answer = await self._answer({"do": "inject", "kind": order.kind, "options": options})
            self.faults.began(order, str(answer["fault"]))
        except Exception as error:
            self._take(self._exercise.inject_failed(order, str(error) or repr(error), self._clock()))
            self.faults.adopt(order)
            raise
        finally:
            self._injecting -= 1
        return str(answer["text"])

    async def _revert(self, order: Revert) -> str:
        return await self._ask({"do": "revert", "fault": order.fault, "why": order.why, "who": order.who})

    def lapsed(self, fault_id: str) -> None:
        """A lease ended: the fault is off on a target, so it is reverted everywhere."""
        fault = self._controls.faults.get(fault_id)
        if fault is not None and fault.active:
            fault.end("lease")

    # -- operations of responders -------------------------------------------------------------------------------------
    async def _operate(self, order: Operate) -> str:
        request = {"do": "operate", "operation": order.operation, "arguments": dict(order.arguments)}
        try:
            answer = await self._answer(request)
        except Exception as error:
            why = str(error) or repr(error)
            self.in_background(self._exercise.operated(order.n, False, why, self._clock()))
            raise TargetFailed(self._harmless(order)) from error
        text = str(answer.get("text") or "done")
        if isinstance(number := answer.get("n"), int):
            self._numbers[order.n] = number
        # A right repair reverts a fault: in the background, because the time of an answer would tell that.
        self.in_background(self._exercise.operated(order.n, True, text, self._clock()))
        return text

    def _harmless(self, order: Operate) -> str:
        """Why an operation failed, for responders: a reason that only depends on what they did; else none."""
        failed, operations = failed_text(order.operation, order.arguments), self._controls.operations
        if order.operation not in RESTARTS and operations is not None:
            try:
                operations.preview(order.operation, order.arguments)
            except UserError as error:
                return f"{failed}: {str(error).partition(chr(10))[0]}"
        return f"{failed}\n    try again, or do something else; the game master sees the reason"

    async def _undo(self, order: Undo) -> str:
        try:
            text = await self._ask({"do": "undo", "n": self._numbers[order.n]})
        except Exception as error:
            self._take(self._exercise.undone(order.n, False, str(error) or repr(error), self._clock()))
            self._note_undone()
            raise TargetFailed("it could not be undone\n    try again; the game master sees the reason") from error
        self._numbers.pop(order.n, None)
        self._take(self._exercise.undone(order.n, True, text, self._clock()))
        return text

    def _note_undone(self) -> None:
        """Tell the exercise which operations another terminal undid."""
        operations = self._controls.operations
        if operations is None or self._exercise.game.operations.under_way:  # one that replaces another
            return
        for n in [n for n, number in self._numbers.items() if number not in operations.in_force]:
            self._take(self._exercise.undone_elsewhere(n, BY_TERMINAL, self._clock()))

    # -- load ---------------------------------------------------------------------------------------------------------
    async def _load(self, order: LoadStart | LoadStop | LoadLevel) -> str:
        match order:
            case LoadStart():
                own = order.profile == self._controls.profile.name  # that of a file has no name to load it by
                request: dict[str, Any] = {"do": "load_start", "profile": None if own else order.profile}
            case LoadStop():
                request = {"do": "load_stop"}
            case LoadLevel():
                request = {"do": "load_level", "level": order.factor}
        self._load_by = order.who
        try:
            text = await self._ask(request)
            self.note_load()
        finally:
            self._load_by = ""
        return text

    def note_load(self) -> None:
        """Tell the exercise how the load is now."""
        load = self._controls.load
        if load is not None:
            outcome = self._exercise.load_changed(
                running=load.running,
                profile=load.profile_name,
                level=load.level,
                now_s=self._clock(),
                who=self._load_by,
            )
            self._take(outcome)

    async def start_load(self) -> None:
        """Start the load of the exercise. Raises UserError, TargetFailed."""
        await self._load(LoadStart())

    # -- what would be hit --------------------------------------------------------------------------------------------
    def _preview(self, order: Preview) -> str:
        controls = self._controls
        stack = controls.operations.stack_now() if controls.operations is not None else controls.stack
        one = injection(
            order.kind,
            order.options,
            stack=stack,
            profile=controls.played_profile,
            offers=controls.world.offers,
            fault_id="preview",
            seed=controls.seed,
        )
        return preview(one, len(stack.replicas), until="until it is reverted or repaired")

    def previews(self) -> dict[str, str]:
        """What each step of the plan would hit, by its id; why not, where it is not possible."""
        found: dict[str, str] = {}
        for step in self._exercise.game.plan.steps:
            options = {**step.options, **({} if step.for_s is None else {"for": f"{step.for_s:g}s"})}
            try:
                found[step.id] = self._preview(Preview(step.kind, options))
            except BrownoutError as error:
                found[step.id] = f"not possible now: {error}"
        return found

    # -- the end ------------------------------------------------------------------------------------------------------
    async def restore(self) -> str:
        """Revert every fault, stop the load. Returns the problems, "" if everything is reverted and verified.

        Waits for nothing that people began: a cold start must not keep a fault on.
        """
        problems: list[str] = []
        try:
            await self._controls.finish()
        except BrownoutError as error:
            problems.append(str(error))
        await self.finish()
        self.adopt()
        await self.finish()
        return "\n".join(problems)

    def down(self) -> list[str]:
        """The processes that are not there, although no fault is the reason."""
        world, gateway = self._controls.world, bool(self._controls.facts().get("gateway"))
        return [name for name in [*world.replicas, *([GATEWAY] if gateway else [])] if world.is_gone(name)]
