"""Plays one fault: planned, injected, confirmed, reverted, verified. Each stage is an event of the record and on a
span.

The revert always runs: when the timeline asks for it, when the run is stopped, when the injection itself failed half
way. When the timeline asks, it is tried three times, and its effect is verified at every target. When the run is over,
every process is about to be killed: one short revert, and nothing is verified; `settle` confirms afterwards that each
target has ended, and with it the fault.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from opentelemetry import trace

from chaos.faults.base import Fault
from chaos.faults.world import World
from chaos.runner.record_writer import EventLog, RecordFull
from chaos.supervision.link import ShepherdGone
from chaos.supervision.undo import UndoNotWritten
from reports.shared import attributes as a
from reports.shared.errors import BrownoutError, TargetFailed

__all__ = ["FaultPlay", "Played"]

REVERT_TRIES = 3


class _Tracer(Protocol):
    def start_span(self, name: str, *, start_time: int | None = None, attributes: Any = None) -> trace.Span: ...


@dataclass(slots=True)
class Played:
    """How it went. `problem`: why the fault may still be active, or was never confirmed; empty if all went well."""

    confirmed: bool = False
    verified: bool = False
    hits: int | None = None
    problem: str = ""
    stages: list[str] = field(default_factory=list)


class FaultPlay:
    """Plays one fault in a world.

    `pools`, `params`, `share`, `only` and `traits` go into the record; `say(text)` informs the person who watches.
    """

    def __init__(
        self,
        fault: Fault,
        world: World,
        events: EventLog,
        tracer: _Tracer,
        *,
        pools: list[str],
        params: dict[str, Any],
        share: float | None,
        only: dict[str, Any],
        traits: dict[str, Any],
        say: Callable[[str], None],
    ) -> None:
        self.fault = fault
        self.played = Played()
        self.confirmed = asyncio.Event()
        self._due = asyncio.Event()
        self._released = asyncio.Event()
        self._world = world
        self._events = events
        self._tracer = tracer
        self._say = say
        self._facts = {
            "id": fault.id,
            "kind": fault.kind,
            "targets": list(fault.targets),
            "pools": pools,
            "params": params,
            "share": share,
            "only": only,
            "traits": traits,
        }
        self._span: trace.Span | None = None
        self._stops_process = bool(traits.get("stops_process"))

    @property
    def active(self) -> bool:
        """Whether it may act on its targets now: from just before the injection until the revert is verified."""
        return "injected" in self.played.stages and not self.played.verified

    @property
    def stops_process(self) -> bool:
        """Whether its targets hold no other fault meanwhile, because it stops their process."""
        return self._stops_process

    def plan(self) -> None:
        """Record that it will be injected."""
        self._note("planned")

    def lapsed(self, target: str) -> None:
        """A target no longer has the fault, and nobody has reverted it: its lease was not renewed in time."""
        self._note_if_possible("lapsed", target=target)
        self._say(f"fault {self.fault.id}: {self.fault.kind} is off on {target}: its lease was not renewed in time")

    async def leave(self, target: str) -> None:
        """A person has repaired one of several targets: the fault ends there, and stays on the others.

        Raises FaultError or Unreachable; the target then still has it.
        """
        await self.fault.leave(self._world, target)
        self._note_if_possible("repaired", target=target)
        self._say(f"fault {self.fault.id}: {self.fault.kind} has ended on {target}, which was repaired")

    def end(self) -> None:
        """The timeline asks for the revert. It begins now, or when the fault is confirmed if that takes longer."""
        self._due.set()

    def release(self) -> None:
        """The run is over: the last revert begins now, whatever the fault is doing."""
        self._released.set()
        self._due.set()

    async def play(self) -> Played:
        """Inject, confirm, hold until `end` or `release`, revert, verify. Raises no error of the fault itself.

        Does nothing if the run was over before. Raises TargetFailed, after the revert, where the undo or the record
        cannot be written, or the shepherd is gone.
        """
        if self._released.is_set():
            return self.played
        at = self._note("injected")
        self._span = self._tracer.start_span(
            a.SPAN_FAULT,
            start_time=at,
            attributes={
                a.FAULT_ID: self.fault.id,
                a.FAULT_KIND: self.fault.kind,
                a.FAULT_TARGETS: list(self.fault.targets),
            },
        )
        self._span.add_event(a.EVENT_FAULT_STAGE, {a.FAULT_STAGE: "injected"}, timestamp=at)
        self._say(f"fault {self.fault.id}: {self.fault.kind} on {', '.join(self.fault.targets)}")
        try:
            if await self._unless_released(self._inject_and_confirm()):
                await self._hold()
        except TargetFailed:
            raise  # the run itself is over; the revert comes first
        except Exception as error:  # whatever it is, this fault could not be played
            what = "could not be kept on" if self.played.confirmed else "could not be injected"
            self._failed(f"{what}: {error or repr(error)}")
        finally:
            # A cancelled run must leave no fault behind: the revert is completed before the cancellation.
            reverting = asyncio.ensure_future(self._revert())
            try:
                await asyncio.shield(reverting)
            except asyncio.CancelledError:
                await reverting
                raise
            finally:
                if not self.active:
                    self._end_span()
        return self.played

    async def revert_again(self) -> None:
        """After `play`, for a fault that could not be reverted: try once more. Raises as `play` does."""
        if self.active:
            self.played.problem = ""
            await self._revert()
            if not self.active:
                self._end_span()

    async def settle(self, has_ended: Callable[[str], bool]) -> None:
        """After the end of every process of the run: what acted in them has ended with them.

        `has_ended(target)`: whether the process of this target has ended. A fault that was verified before, or never
        injected, is left alone, and one that does not end with its targets: see `settle_command`. Raises no error.
        """
        if not self.active or not self.fault.ends_with_targets:
            return
        left = [name for name in self.fault.targets if not has_ended(name)]
        if left:
            self._failed(f"could not be reverted: {', '.join(left)} did not end")
        else:
            if "reverted" not in self.played.stages:
                self._note_if_possible("reverted", hits=self.played.hits)
            with contextlib.suppress(UndoNotWritten, BrownoutError):  # a file that does not say so is harmless
                await self._world.disarm(self.fault.id)
            self.played.verified = True
            self._note_if_possible("verified", hits=self.played.hits, how="its targets have ended")
        self._end_span()

    def settle_command(self, undone_by: str) -> None:
        """After the end of the shepherd, for a fault that does not end with the run. Raises no error.

        `undone_by`: who undid it, according to the undo file; "" if nobody did.
        """
        if not self.active or self.fault.ends_with_targets:
            return
        if undone_by:
            self.played.verified = True
            how = f"its revert command succeeded, run by the {undone_by}"
            self._note_if_possible("reverted", hits=None)
            self._note_if_possible("verified", hits=None, how=how)
        elif "could not be reverted" not in self.played.problem:
            self._failed("could not be reverted at the end of the run")
        self._end_span()

    def _end_span(self) -> None:
        if self._span is not None:
            self._span.set_attribute(a.FAULT_HITS, -1 if self.played.hits is None else self.played.hits)
            self._span.end()

    async def _inject_and_confirm(self) -> None:
        await self.fault.inject(self._world)
        await self.fault.confirm(self._world)
        self.played.confirmed = True
        how = self.fault.confirmed_by
        self._note("confirmed", **({"how": how} if how else {}))
        self.confirmed.set()  # after it is in the record: where that fails, the fault is reverted

    async def _unless_released(self, doing: Coroutine[Any, Any, None]) -> bool:
        """Whether it was done; False where the run was over first, and it was cancelled."""
        task, over = asyncio.ensure_future(doing), asyncio.ensure_future(self._released.wait())
        try:
            await asyncio.wait((task, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if task.cancelled():
            return False
        task.result()
        return True

    async def _hold(self) -> None:
        holding, due = asyncio.ensure_future(self.fault.hold(self._world)), asyncio.ensure_future(self._due.wait())
        try:
            await asyncio.wait((holding, due), return_when=asyncio.FIRST_COMPLETED)
            if not due.done() and holding.exception() is None:  # one that needs no action while it is on
                await due
        finally:
            for task in (holding, due):
                task.cancel()
            await asyncio.gather(holding, due, return_exceptions=True)
        if not holding.cancelled():
            holding.result()

    async def _revert(self) -> None:
        for attempt in range(1, REVERT_TRIES + 1):
            try:
                if not await self._unless_released(self._revert_and_verify()):
                    break
                return
            except ShepherdGone:
                raise  # it undoes the rest by itself, and takes no more requests
            except Exception as error:  # a replica that does not start, a refused request: try again
                if attempt == REVERT_TRIES:
                    self._failed(f"could not be reverted: {error or repr(error)}")
                    return
        await self._revert_at_the_end()

    async def _revert_and_verify(self) -> None:
        await self._revert_once()
        with contextlib.suppress(UndoNotWritten):  # it is undone; a file that does not say so is harmless
            await self.fault.verify(self._world)
        self.played.verified = True
        self._note_if_possible("verified", hits=self.played.hits)
        self._say(f"fault {self.fault.id}: reverted and verified")

    async def _revert_at_the_end(self) -> None:
        """Revert without waiting for its effect: the processes end next. See `settle`."""
        if "reverted" in self.played.stages and self.fault.ends_with_targets:
            return
        try:
            async with asyncio.timeout(self.fault.last_revert_within_s):
                if not self.fault.ends_with_targets:  # nothing else proves that it is gone
                    await self._revert_and_verify()
                    return
                await self._revert_once()
            self._say(f"fault {self.fault.id}: reverted")
        except ShepherdGone:
            raise
        except Exception as error:  # a target that does not answer or is gone: it ends, and the fault with it
            if not self.fault.ends_with_targets:  # the shepherd tries again
                self._say(f"fault {self.fault.id}: not reverted yet: {error or repr(error)}")

    async def _revert_once(self) -> None:
        hits = await self.fault.revert(self._world)
        if hits is not None:  # all so far, also of a revert that is tried again
            self.played.hits = hits
        self._note_if_possible("reverted", hits=self.played.hits)

    def _failed(self, why: str) -> None:
        self.played.problem = f"fault {self.fault.id} ({self.fault.kind}) {why}"
        self._note_if_possible("failed", why=why)
        self._say(self.played.problem)

    def _note_if_possible(self, stage: str, **more: Any) -> None:
        """A full disk must not prevent the revert; the next write reports that it is full."""
        with contextlib.suppress(RecordFull):
            self._note(stage, **more)

    def _note(self, stage: str, **more: Any) -> int:
        at = self._events.write("fault", stage=stage, **{**self._facts, "hits": None, **more})
        self.played.stages.append(stage)
        if self._span is not None:
            self._span.add_event(a.EVENT_FAULT_STAGE, {a.FAULT_STAGE: stage}, timestamp=time.time_ns())
        return at
