"""Executes the timeline of an experiment: the steps of `chaos.experiment.timeline`, each at its time.

What takes longer than planned delays all later steps (`_late`), so that each phase keeps its length.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from chaos.experiment.model import Experiment
from chaos.experiment.timeline import phases, steps
from chaos.runner.confirmation import LiveShare, confirm, grace_s
from chaos.runner.early_end import EarlyEnd, Ended
from chaos.runner.fault_play import FaultPlay
from chaos.runner.load_control import LoadControl
from chaos.runner.progress import Progress
from chaos.runner.record_writer import EventLog
from reports.shared.errors import TargetFailed

__all__ = ["TimelinePlay"]

T = TypeVar("T")

LOAD_STARTS_WITHIN_S = 30.0


@dataclass(slots=True)
class TimelinePlay:
    """Plays the timeline once, from the start of the load to the end of the drain.

    `plays`: the experiment's faults, by id. `watch` observes the load's counters. `judge_steady_state()` returns what
    fails, or "". `not_carried(begin, end)`: why the load of the baseline was not carried, or "". `on_drain()` is called
    when the drain begins. `load_log()` returns the last lines of the load generator's log. `clock`: monotonic seconds,
    as that of `watch`; `wall_ns`: unix nanoseconds.
    """

    experiment: Experiment
    plays: Mapping[str, FaultPlay]
    load: LoadControl
    early: EarlyEnd
    watch: LiveShare
    events: EventLog
    progress: Progress
    judge_steady_state: Callable[[], Awaitable[str]]
    on_drain: Callable[[], None]
    load_log: Callable[[], str]
    not_carried: Callable[[float, float], str] = lambda begin_s, end_s: ""
    clock: Callable[[], float] = time.monotonic
    wall_ns: Callable[[], int] = time.time_ns
    _tasks: dict[str, asyncio.Task[Any]] = field(default_factory=dict)
    """The faults that were injected, by id."""
    _zero: float = 0.0
    """Time 0 of the timeline on `clock`, moved by everything that took longer than planned."""
    _baseline_from: float = 0.0

    async def play(self) -> None:
        """Execute every step. Raises `Ended` where the run ends early; `release` must follow in any case."""
        lengths = {name: end_s - begin_s for name, (begin_s, end_s) in phases(self.experiment).items()}
        begin_of_fault = next((s for s in steps(self.experiment) if (s.action, s.what) == ("phase", "fault")), None)
        for play in self.plays.values():
            play.plan()
        await self._start_load()
        for step in steps(self.experiment):
            if step.action == "end":
                return  # the drain ends when every session has ended, at the latest here
            if step.action == "phase" and step.what == "recovery" and self._tasks:
                await self._verified(self._tasks)
                self._zero = self.clock() - step.at_s  # later than planned, or earlier: a notice need not be used up
            await self._until(step.at_s)
            if step.action == "judge_steady_state" or (step == begin_of_fault and not self.experiment.steady_state):
                self._judge_carrying()
            if step.action == "phase" and step.what == "drain":
                await self._drain()
            elif step.action == "phase":
                self._begin_phase(step.what, lengths.get(step.what, 0.0))
            elif step.action == "judge_steady_state":
                unfit = await self._late(self.early.or_end(self.judge_steady_state()))
                if unfit:
                    await self._drain()
                    raise Ended("not_steady", unfit, 1)
            elif step.action == "inject":
                await self._late(self._free(step.what))
                self._tasks[step.what] = asyncio.create_task(self._play_fault(self.plays[step.what]))
            elif step.action == "revert":
                self.plays[step.what].end()
            elif step.action == "confirm_metastable":
                await self._late(self._confirm_metastable())

    async def release(self) -> None:
        """Release every fault, and wait until each is reverted."""
        for play in self.plays.values():
            play.release()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def phase(self, name: str, lasts_s: float | None = None, *, at_ns: int | None = None) -> None:
        """A phase begins: an event of the record, and the progress display."""
        self.events.write("phase", phase=name, at_ns=at_ns)
        self.progress.phase(name, lasts_s)

    async def _start_load(self) -> None:
        """Time 0: the first session starts."""
        self.load.command = "run"
        try:
            async with asyncio.timeout(LOAD_STARTS_WITHIN_S):
                await self.early.or_end(self.load.started.wait())
        except TimeoutError:
            raise Ended("failed", f"the load did not start{self.load_log()}", 5) from None
        assert self.load.started_ns is not None
        self._zero = self.clock() - (self.wall_ns() - self.load.started_ns) / 1e9

    def _begin_phase(self, name: str, lasts_s: float) -> None:
        if name == "baseline":
            self._baseline_from = self.clock()
        self.phase(name, lasts_s, at_ns=self.load.started_ns if name == "warmup" else None)

    def _judge_carrying(self) -> None:
        """End the run, without a drain, where the load is not carried: a fault would break what does not work."""
        if why := self.not_carried(self._baseline_from, self.clock()):
            self.phase("drain", 0.0)
            self.on_drain()
            raise Ended("not_carried", why, 3)

    async def _until(self, at_s: float) -> None:
        await self.early.or_end(asyncio.sleep(max(0.0, self._zero + at_s - self.clock())))

    async def _late(self, doing: Awaitable[T]) -> T:
        """Do something that has no planned length; all later steps come later by as long as it took."""
        begun = self.clock()
        done = await doing
        self._zero += self.clock() - begun
        return done

    async def _free(self, fault_id: str) -> None:
        """Wait until the faults have ended that this one must not meet: a replica may still be starting after them."""
        planned = {fault.id: fault for fault in self.experiment.faults}
        before = [one for one in self._tasks if planned[one].conflicts(planned[fault_id])]
        waits_for = [one for one in before if not self._tasks[one].done()]
        if waits_for:
            self.progress.say(f"{fault_id} waits until {', '.join(waits_for)} has ended")
            for one in waits_for:
                self.plays[one].end()  # its time has come, by the plan
            await self._verified(waits_for)

    async def _verified(self, faults: Iterable[str]) -> None:
        # Shielded: `release` ends them, a cancellation would wait for what they wait for.
        await self.early.or_end(asyncio.gather(*(asyncio.shield(self._tasks[one]) for one in faults)))

    async def _play_fault(self, play: FaultPlay) -> None:
        text = f"{play.fault.kind} on {', '.join(play.fault.targets)}"
        self.progress.fault(text, on=True)
        try:
            await play.play()
        except TargetFailed as error:
            self.early.end("failed", str(error), 5)
            raise
        finally:
            self.progress.fault(text, on=False)
            played = play.played  # also of one whose run was ended meanwhile
            if played.problem and not played.verified:
                self.early.end("failed", played.problem, 5)

    async def _confirm_metastable(self) -> None:
        begin = self._baseline_from
        await confirm(
            self.watch,
            (begin, begin + self.experiment.timeline.baseline_s),
            grace_s(self.experiment.profile.client.timeout_s),
            load=self.load,
            events=self.events,
            phase=self.phase,
            or_end=self.early.or_end,
        )

    async def _drain(self) -> None:
        drain_s = self.experiment.timeline.drain_s
        self.phase("drain", drain_s)
        self.on_drain()
        self.load.command = "drain"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(drain_s):
                await self.early.or_end(self.load.done.wait())
