"""One fault, played: planned, injected, confirmed, held, reverted, verified; each stage an event and on a span.

The revert is always run: when the time is over, when the run is stopped, when the injection itself failed half way.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from opentelemetry import trace

from chaos.faults.base import Fault, Stage
from chaos.runner.record_writer import EventLog, RecordFull
from chaos.supervision.link import ShepherdGone
from chaos.supervision.undo import UndoNotWritten
from reports.shared import attributes as a
from reports.shared.errors import TargetFailed

__all__ = ["FaultPlay", "Played"]

REVERT_TRIES = 3


class _Tracer(Protocol):
    def start_span(self, name: str, *, start_time: int | None = None, attributes: Any = None) -> trace.Span: ...


@dataclass(slots=True)
class Played:
    """How it went. `problem` is loud: a fault that may still be on, or was never seen to work."""

    confirmed: bool = False
    verified: bool = False
    hits: int | None = None
    problem: str = ""
    stages: list[str] = field(default_factory=list)


class FaultPlay:
    """Plays one fault against a stage.

    `pools`, `params`, `share` and `only` go into the record; `say(text)` tells the person watching.
    """

    def __init__(
        self,
        fault: Fault,
        stage: Stage,
        events: EventLog,
        tracer: _Tracer,
        *,
        pools: list[str],
        params: dict[str, Any],
        share: float | None,
        only: dict[str, Any],
        say: Callable[[str], None],
    ) -> None:
        self.fault = fault
        self.played = Played()
        self.on = False
        """Whether the fault is on now, for the progress display."""
        self._stage = stage
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
        }
        self._span: trace.Span | None = None

    def plan(self) -> None:
        """Write down that it is to come."""
        self._note("planned")

    async def play(self, for_s: float | None, released: asyncio.Event) -> Played:
        """Inject, confirm, hold, revert, verify. Raises no error of a fault.

        The revert begins `for_s` seconds after the injection did, or once it is confirmed if that takes longer; or when
        `released`, be that in the middle of the injection.

        Raises TargetFailed, after the revert, where the undo or the record cannot be written or the shepherd is gone.
        """
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
        self.on = True
        self._say(f"fault {self.fault.id}: {self.fault.kind} on {', '.join(self.fault.targets)}")
        begun = time.monotonic()
        try:
            if await self._unless_released(self._bring_on(), released):
                left_s = None if for_s is None else max(0.0, for_s - (time.monotonic() - begun))
                await self._hold(left_s, released)
        except TargetFailed:
            raise  # the run itself is over; the revert comes first
        except Exception as error:  # whatever it is, it is this fault that did not work
            self._failed(f"could not be injected: {error or repr(error)}")
        finally:
            # A cancelled run must still end with nothing broken: the revert is finished before the cancellation is.
            reverting = asyncio.ensure_future(self._revert())
            try:
                await asyncio.shield(reverting)
            except asyncio.CancelledError:
                await reverting
                raise
            finally:
                self.on = False
                self._span.set_attribute(a.FAULT_HITS, -1 if self.played.hits is None else self.played.hits)
                self._span.end()
        return self.played

    async def _bring_on(self) -> None:
        await self.fault.inject(self._stage)
        await self.fault.confirm(self._stage)
        self.played.confirmed = True
        self._note("confirmed")

    async def _unless_released(self, doing: Coroutine[Any, Any, None], released: asyncio.Event) -> bool:
        """Whether it was done; False where the run was released before, and it was cancelled."""
        task, end = asyncio.ensure_future(doing), asyncio.ensure_future(released.wait())
        try:
            await asyncio.wait((task, end), return_when=asyncio.FIRST_COMPLETED)
        finally:
            end.cancel()
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if task.cancelled():
            return False
        task.result()
        return True

    async def _hold(self, for_s: float | None, released: asyncio.Event) -> None:
        holding = asyncio.ensure_future(self.fault.hold(self._stage))
        try:
            await asyncio.wait_for(released.wait(), for_s)
        except TimeoutError:
            pass
        finally:
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)
        if not holding.cancelled():
            holding.result()

    async def _revert(self) -> None:
        for attempt in range(1, REVERT_TRIES + 1):
            try:
                self.played.hits = await self.fault.revert(self._stage)
                self._note_if_possible("reverted", hits=self.played.hits)
                with contextlib.suppress(UndoNotWritten):  # it is undone; that the file does not say so is harmless
                    await self.fault.verify(self._stage)
                self.played.verified = True
                self._note_if_possible("verified", hits=self.played.hits)
                self._say(f"fault {self.fault.id}: reverted and verified")
                return
            except ShepherdGone:
                raise  # it undoes what is left by itself; nothing can be asked of it any more
            except Exception as error:  # a replica that does not start, a refused request: tried again all the same
                if attempt == REVERT_TRIES:
                    self._failed(f"could not be reverted: {error or repr(error)}")

    def _failed(self, why: str) -> None:
        self.played.problem = f"fault {self.fault.id} ({self.fault.kind}) {why}"
        self._note_if_possible("failed", why=why)
        self._say(self.played.problem)

    def _note_if_possible(self, stage: str, **more: Any) -> None:
        """A full disk must not come between a fault and its revert; the next who writes says that it is full."""
        with contextlib.suppress(RecordFull):
            self._note(stage, **more)

    def _note(self, stage: str, **more: Any) -> int:
        at = self._events.write("fault", stage=stage, **{**self._facts, "hits": None, **more})
        self.played.stages.append(stage)
        if self._span is not None:
            self._span.add_event(a.EVENT_FAULT_STAGE, {a.FAULT_STAGE: stage}, timestamp=time.time_ns())
        return at
