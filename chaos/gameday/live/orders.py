"""Carries out what the exercise orders, with the commands of chaos by hand: the same checks, leases and record.

A fault that is injected is watched: when it is reverted, for whatever reason, the exercise is told why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from chaos.by_hand.controls import HandControls
from chaos.by_hand.injection import injection, preview
from chaos.gameday.core.exercise import Exercise
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
    RevertReason,
    Undo,
)
from chaos.gameday.core.outcome import Outcome
from reports.shared.errors import BrownoutError

__all__ = ["Orders"]

_BY_TERMINAL: Final = "a command of brownout"
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
        self._known: set[str] = set()
        """The faults that the exercise knows."""
        self._why: dict[str, RevertReason] = {}
        """Why each fault is being reverted; a fault that is missing here ends with its time."""
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
            except BrownoutError as error:
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
                self._all_because("abort")
                return await self._ask({"do": "abort"})
            case Release():
                return await self._ask({"do": "release"})
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

    async def _answer(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        return await self._controls(request, self._say, _NOBODY_LEAVES())

    def adopt(self) -> None:
        """Tell the exercise what commands from another terminal did."""
        for fault_id, fault in self._controls.faults.items():
            if fault_id not in self._known and fault.play.confirmed.is_set():
                occurrence = fault.injection.occurrence
                order = Inject("", occurrence.spec.kind, occurrence.spec.params(), fault.injection.for_s, _BY_TERMINAL)
                self._began(order, fault_id)
        if self._controls.aborted and not self._exercise.game.aborted:
            self.in_background(self._exercise.aborted_by_command(self._clock()))
        self.note_load()

    # -- faults -------------------------------------------------------------------------------------------------------
    async def _inject(self, order: Inject) -> str:
        options = dict(order.options)
        if order.for_s is not None:
            options["for"] = f"{order.for_s:g}s"
        try:
            answer = await self._answer({"do": "inject", "kind": order.kind, "options": options})
        except BrownoutError as error:
            self._take(self._exercise.inject_failed(order, str(error), self._clock()))
            raise
        fault_id = str(answer["fault"])
        self._began(order, fault_id)
        return str(answer["text"])

    def _began(self, order: Inject, fault_id: str) -> None:
        """A fault is active: tell the exercise, and watch for its end."""
        if fault_id in self._known:
            return
        self._known.add(fault_id)
        occurrence = self._controls.faults[fault_id].injection.occurrence
        outcome = self._exercise.injected(order, fault_id, occurrence.targets, occurrence.spec.params(), self._clock())
        self.in_background(outcome)
        task = asyncio.create_task(self._until_reverted(fault_id))
        self._tasks.add(task)
        task.add_done_callback(self._background_done)

    async def _until_reverted(self, fault_id: str) -> None:
        fault = self._controls.faults[fault_id]
        while True:
            task = fault.task
            await asyncio.wait((task,))
            if fault.task is task:  # a revert that failed is tried again in another one
                break
        self.note_reverted(fault_id)

    def note_reverted(self, fault_id: str) -> None:
        """Tell the exercise that a fault is over, if it is and was not told. Idempotent."""
        fault = self._controls.faults[fault_id]
        if fault.active:
            problem = fault.play.played.problem or fault.problem or f"{fault_id} is not reverted"
            self.in_background(self._exercise.warned(problem, self._clock()))
            return
        self.in_background(self._exercise.reverted(fault_id, self._why.get(fault_id, "time"), self._clock()))

    def _all_because(self, why: RevertReason) -> None:
        for fault_id, fault in self._controls.faults.items():
            if fault.active:
                self._why.setdefault(fault_id, why)

    async def _revert(self, order: Revert) -> str:
        if order.fault is None:
            self._all_because(order.why)
        else:
            self._why.setdefault(order.fault, order.why)
        return await self._ask({"do": "revert", "fault": order.fault})

    def lapsed(self, fault_id: str) -> None:
        """A lease ended: the fault is off on a target, so it is reverted everywhere."""
        fault = self._controls.faults.get(fault_id)
        if fault is not None and fault.active:
            self._why.setdefault(fault_id, "lease")
            fault.play.end()

    # -- operations of responders -------------------------------------------------------------------------------------
    async def _operate(self, order: Operate) -> str:
        request = {"do": "operate", "operation": order.operation, "arguments": dict(order.arguments)}
        try:
            answer = await self._answer(request)
        except BrownoutError as error:
            self.in_background(self._exercise.operated(order.n, False, str(error), self._clock()))
            raise
        text = str(answer.get("text") or "done")
        if isinstance(number := answer.get("n"), int):
            self._numbers[order.n] = number
        for fault_id in answer.get("ended", ()):
            self._why.setdefault(str(fault_id), "repair")
        await self.carry_out(self._exercise.operated(order.n, True, text, self._clock()))
        return text

    async def _undo(self, order: Undo) -> str:
        try:
            text = await self._ask({"do": "undo", "n": self._numbers[order.n]})
        except BrownoutError as error:
            self._take(self._exercise.undone(order.n, False, str(error), self._clock()))
            raise
        self._take(self._exercise.undone(order.n, True, text, self._clock()))
        return text

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
        text = await self._ask(request)
        self.note_load()
        return text

    def note_load(self) -> None:
        """Tell the exercise how the load is now."""
        load = self._controls.load
        if load is not None:
            outcome = self._exercise.load_changed(
                running=load.running, profile=load.profile_name, level=load.level, now_s=self._clock()
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
        """Revert every fault, stop the load. Returns the problems, "" if everything is reverted and verified."""
        self._all_because("end")
        problems: list[str] = []
        if any(fault.active for fault in self._controls.faults.values()):
            try:
                await self._ask({"do": "revert", "fault": None})
            except BrownoutError as error:
                problems.append(str(error))
        try:
            if self._controls.load is not None and self._controls.load.running:
                await self._ask({"do": "load_stop"})
        except BrownoutError as error:
            problems.append(str(error))
        await self.finish()
        return "\n".join(problems)
