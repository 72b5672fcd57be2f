"""One whole run: plays an experiment and writes its record.

A run goes through these steps; `Run.play` is their order, and each names where to read on:

1. The collector starts: from now on, spans and counters of every process go into the record (`chaos.runner.collector`).
2. The shepherd starts: a small process that is the parent of all others, and that undoes every fault and kills every
   process if this one is gone (`chaos.supervision`).
3. The deployment gives each process its ports and configuration; the shepherd starts replicas, gateway and load
   generator, and the run waits until all of them report ready (`chaos.runner.setup`).
4. The load starts: the first session is time 0 (`chaos.runner.load_control`).
5. The timeline is executed, step by step (`chaos.runner.timeline_play`): `chaos.experiment.timeline.steps`, which
   `brownout check` prints. The phases warmup and baseline pass. A `steady_state` that does not hold ends the run
   before anything is injected.
6. Each fault is injected, confirmed, reverted and verified (`chaos.runner.fault_play`). Its undo is on disk before it
   is injected. The recovery begins when the last fault is verified; it may end with a check for a metastable state.
7. The drain: no new session starts, and those that run may end. The analysis process starts meanwhile.
8. Teardown: every fault is released, the load ends, all processes stop, and the record is closed with the number of
   spans that each process says it ended.
9. The analysis turns the record into measures, verdicts and reports, in a process of its own (`reports.analysis`).

Anything that ends a run early (Ctrl-C, a guardrail, a process that ends by itself, a full disk) goes through step 8:
every fault is reverted, and the record is closed and can be reported (`chaos.runner.early_end`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version

from chaos.experiment.commands import commands_folder
from chaos.experiment.model import Experiment
from chaos.runner.alert_receiver import AlertReceiver
from chaos.runner.analysis_child import AnalysisChild
from chaos.runner.collector import Collector, Copy, Counters
from chaos.runner.command_faults import reverts_s, settle_commands
from chaos.runner.deployment import LOAD
from chaos.runner.early_end import EarlyEnd, Ended, most_severe
from chaos.runner.fault_play import FaultPlay
from chaos.runner.fault_plays import FaultPlays
from chaos.runner.interrupts import Interrupts
from chaos.runner.live_world import LiveWorld
from chaos.runner.load_control import LoadControl
from chaos.runner.probe import PROBE
from chaos.runner.progress import Progress
from chaos.runner.record_writer import RecordFull, RunFolder
from chaos.runner.run_watch import RunWatch
from chaos.runner.setup import Setup
from chaos.runner.steady_check import STEADY, steady_spec, unsteady
from chaos.runner.timeline_play import TimelinePlay
from chaos.runner.user_commands import UserCommands
from chaos.supervision.supervisor import Child, ShepherdGone, Supervisor
from reports.shared.attributes import TARGET_LOAD
from reports.shared.errors import TargetFailed
from reports.shared.machine import this_machine

__all__ = ["Run"]

LOAD_ENDS_WITHIN_S = 5.0
INTERRUPTED_LOAD_ENDS_WITHIN_S = 1.0
INTERRUPTED_GRACE_S = 0.6
"""How long the processes of one kind may take to end after Ctrl-C, before SIGKILL."""


class Run:
    """One run. `play` plays it, and returns why it ended early, or None: the analysis decides the verdict."""

    def __init__(
        self,
        experiment: Experiment,
        folder: RunFolder,
        progress: Progress,
        controls: Callable[[Run, Setup, LiveWorld], AbstractAsyncContextManager[None]] | None = None,
    ) -> None:
        """`controls`: commands from another terminal reach the run inside of it, from the start of its load on."""
        self._controls = controls
        self.last_counters: dict[str, Counters] = {}
        """The last counters of each process, by its name."""
        self.experiment = experiment
        self.folder = folder
        self.progress = progress
        self.token = secrets.token_urlsafe(24)
        self.load = LoadControl(on_lapse=lambda fault_id: self._lapsed(TARGET_LOAD, fault_id))
        self.collector = Collector(
            folder.spans,
            folder.gauges,
            self.token,
            self._counters,
            self._record_failed,
            Copy.from_environment(os.environ),
        )
        port = experiment.alerts.port if experiment.alerts is not None else None
        self.alerts = AlertReceiver(port, folder.events, progress.say, self._record_failed)
        self.supervisor: Supervisor | None = None
        self.analysis: AnalysisChild | None = None
        self.plays: dict[str, FaultPlay] = {}
        """By fault id."""
        self._stopping = False
        self.world: LiveWorld | None = None
        self.setup: Setup | None = None
        self.fault_plays = FaultPlays(self.collector, folder.events, experiment.seed, progress.say)
        self.commands: UserCommands | None = None
        self.early = EarlyEnd(self._stop_acting)
        self.watch = RunWatch(experiment, folder, self.early, self.load, self.plays, self._may_exit)
        self.interrupts = Interrupts(
            self.early,
            self._kill_all,
            progress.say,
            afterwards=f"see what is left of its faults: brownout heal --dry-run {folder.path}\n",
            more_s=lambda: reverts_s(self.plays),
        )

    # -- what may end a run early -----------------------------------------------------------------------------------
    def _stop_acting(self) -> None:
        """The run ends early: no more load from now on, no process is started again, and every fault is reverted."""
        self.load.command = "stop"
        if self.world is not None:
            self.world.end()
        for play in self.plays.values():
            play.release()

    def _kill_all(self) -> None:
        if self.commands is not None:
            self.commands.abandon()  # the shepherd runs them
        if self.supervisor is not None:
            self.supervisor.end_now()

    def _counters(self, counters: Counters) -> Mapping[str, object]:
        self.last_counters[counters.process] = counters
        self.progress.counters(counters)
        self.watch.counters(counters)
        return self.load.on_counters(counters)

    def _shepherd_gone(self, error: ShepherdGone) -> None:
        self.early.end("failed", str(error), 5)

    def _watch_ended(self, watching: asyncio.Task[None]) -> None:
        """Without it, no guardrail and no silence would end the run."""
        if not watching.cancelled() and (error := watching.exception()) is not None:
            self.early.end("failed", f"the watch over the run crashed: {error!r}", 5)

    def _record_failed(self, error: RecordFull) -> None:
        self.early.end("failed", str(error), 5)

    def _may_exit(self, child: Child) -> bool:
        """Whether an exit of this process is no failure now."""
        leaving = child.name == LOAD and self.load.command == "stop"
        return self._stopping or leaving or child.name in (STEADY, PROBE)

    def _lapsed(self, target: str, fault_id: str) -> None:
        if (play := self.plays.get(fault_id)) is not None:
            play.lapsed(target)

    def _has_ended(self, target: str) -> bool:
        """Whether the process of a fault's target has ended; for a fault of the load, the load generator."""
        return self.watch.state(LOAD if target == TARGET_LOAD else target) == "gone"

    # -- the run ----------------------------------------------------------------------------------------------------
    async def play(self) -> Ended | None:
        """Set up, play, tear down. Returns why the run ended early; None: it did not."""
        self.interrupts.install()
        try:
            return await self._play_and_close()
        finally:
            self.interrupts.close()

    async def _play_and_close(self) -> Ended | None:
        ended: Ended | None = None
        self.folder.events.write("run", event="started", why="")
        self._machine()
        try:
            await self.collector.start()
            await self.alerts.start()
            async with Supervisor(
                run_dir=self.folder.path,
                owner=self.folder.path.name,
                token=self.token,
                on_exit=self.watch.exited,
                on_gone=self._shepherd_gone,
            ) as self.supervisor:
                self.watch.supervisor = self.supervisor
                watching = asyncio.create_task(self.watch.watch_shepherd(self.supervisor))
                watching.add_done_callback(self._watch_ended)
                try:
                    await self._play_on(self.supervisor)
                except Ended as early:
                    ended = early
                except (
                    TargetFailed
                ) as error:  # a process that does not start, a full disk: the record is closed all the same
                    ended = Ended("failed", str(error), 5)
                finally:
                    self._stopping = True
                    watching.cancel()
                await self._stop(self.supervisor)
        except TargetFailed as error:  # also of the shepherd, when it is told to end
            self.early.end("failed", str(error), 5)
        finally:
            await self.alerts.close()
            await self.collector.close(0.3 if self.interrupts.received else 2.0)
        settle_commands(self.plays, self.folder.undo, self.early)
        return self._close_record(ended)

    async def _play_on(self, supervisor: Supervisor) -> None:
        self._phase("setup")
        setup = self.setup = Setup(
            self.experiment,
            self.folder,
            supervisor,
            self.watch,
            self.early,
            self.load,
            self.progress.say,
            self.token,
            self.collector.url,
        )
        try:
            await setup.start()
            self.commands = UserCommands(supervisor, self.folder.path, commands_folder(self.experiment))
            async with LiveWorld(
                supervisor,
                setup.addresses,
                self.token,
                setup.start_again,
                self.load,
                setup.gateway_control_port,
                self._lapsed,
                self.watch.refusals,
                self.commands,
            ) as world:
                self.world = world
                planned = {
                    fault.id: self.fault_plays.make(fault, fault.pools, world) for fault in self.experiment.faults
                }
                self.plays.update(planned)
                timeline = TimelinePlay(
                    self.experiment,
                    planned,
                    self.load,
                    self.early,
                    self.watch.share,
                    self.folder.events,
                    self.progress,
                    judge_steady_state=self._unsteady,
                    on_drain=self._start_analysis,
                    load_log=lambda: self.watch.log_excerpt(LOAD),
                    not_carried=self.watch.not_carried,
                )
                watching = [asyncio.create_task(self.watch.watch())]
                watching[0].add_done_callback(self._watch_ended)
                if setup.gateway is not None:
                    watching.append(setup.gateway.start_watch())
                try:
                    async with self._controls(self, setup, world) if self._controls else contextlib.nullcontext():
                        await timeline.play()
                finally:
                    await timeline.release()
                    for task in watching:
                        task.cancel()
                    await asyncio.gather(*watching, return_exceptions=True)
                    if setup.gateway is not None:
                        await setup.gateway.read()
        finally:
            self.load.command = "stop"
            supervisor.resume_shepherd()  # if somebody stopped it: what follows needs it
            # It ends every session, so that each has its span, and exits by itself.
            within_s = INTERRUPTED_LOAD_ENDS_WITHIN_S if self.interrupts.received else LOAD_ENDS_WITHIN_S
            with contextlib.suppress(TimeoutError, LookupError, ShepherdGone):
                async with asyncio.timeout(within_s):
                    await supervisor.wait(LOAD)

    async def _unsteady(self) -> str:
        """Judge `steady_state`; returns what fails, or "". The load goes on meanwhile."""
        assert self.supervisor is not None
        assert self.setup is not None
        return await unsteady(
            self.supervisor, steady_spec(self.folder.path, self.folder.log(STEADY)), self.setup.started
        )

    def _start_analysis(self) -> None:
        """The analysis process starts at the drain, so that it is ready when the record is closed."""
        self.analysis = AnalysisChild(self.folder.path)

    def _phase(self, name: str, lasts_s: float | None = None, *, at_ns: int | None = None) -> None:
        self.folder.events.write("phase", phase=name, at_ns=at_ns)
        self.progress.phase(name, lasts_s)

    def _machine(self) -> None:
        cores, memory = this_machine()
        self.folder.events.write(
            "machine",
            cores=cores,
            memory_bytes=memory,
            python=platform.python_version(),
            kernel=platform.release(),
            brownout=version("brownout"),
        )

    # -- the end ----------------------------------------------------------------------------------------------------
    async def _stop(self, supervisor: Supervisor) -> None:
        """Stop every process, so that every span has arrived, and settle every fault."""
        self.progress.phase("analysis")
        with contextlib.suppress(ShepherdGone):
            await supervisor.stop_all(INTERRUPTED_GRACE_S if self.interrupts.received else None)
        await supervisor.swept()
        for play in self.plays.values():
            await play.settle(self._has_ended)
            if play.active and play.fault.ends_with_targets:
                self.early.end("failed", play.played.problem, 5)
        with contextlib.suppress(RecordFull):
            self.folder.events.write("phase", phase="end")

    def _close_record(self, ended: Ended | None) -> Ended | None:
        """Write how the run ended, after all that could still fail. Returns it."""
        ended = most_severe([*([ended] if ended else []), *self.early.reasons])
        if self.plays:
            self.watch.spans_ended["runner#1"] = self.fault_plays.spans.ended
        try:
            instances = {instance: {"ended": count} for instance, count in self.watch.spans_ended.items()}
            self.folder.events.write("spans", instances=instances)
            if self.collector.copy is not None:
                self.folder.events.write("copy", sent=self.collector.copy.sent, lost=self.collector.copy.lost)
            self.folder.events.write("run", event=ended.event if ended else "finished", why=ended.why if ended else "")
        except RecordFull as error:
            ended = ended or Ended("failed", str(error), 5)
        return ended
