"""Plays an experiment and writes its record: set up, warm up, baseline, faults, recovery, drain, tear down, analyse.

    collector  <- spans and counters of every process
    supervisor -> shepherd -> gateway, replicas, load generator, analysis
    faults     each a FaultPlay on the LiveStage

Whatever ends a run early (Ctrl-C, a guardrail, a process that died by itself, a full disk) does it in one way: every
fault is reverted, the load is ended, the record is closed, everything is stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import secrets
import signal
import time
from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from chaos.children.telemetry import SpanCount, resource
from chaos.cli.preparation import load_config
from chaos.experiment.guardrails import GuardrailWatch
from chaos.experiment.model import Experiment
from chaos.runner.analysis_child import AnalysisChild
from chaos.runner.collector import Collector, CollectorExporter, Copy, Counters
from chaos.runner.confirmation import LiveShare, confirm, grace_s
from chaos.runner.deployment import LOAD, Deployment, load_spec
from chaos.runner.early_end import EarlyEnd, Ended, gravest
from chaos.runner.fault_play import FaultPlay
from chaos.runner.live_world import LiveStage
from chaos.runner.load_control import LoadControl
from chaos.runner.progress import Progress
from chaos.runner.readiness import all_ready
from chaos.runner.record_writer import RecordFull, RunFolder
from chaos.runner.steady_check import STEADY, steady_spec, unsteady
from chaos.supervision.supervisor import Child, ChildSpec, ShepherdGone, Supervisor
from reports.shared.attributes import SERVICE_RUNNER
from reports.shared.errors import TargetFailed

__all__ = ["Run"]

READY_WITHIN_S = 60.0
LOAD_STARTS_WITHIN_S = 30.0
LOAD_ENDS_WITHIN_S = 5.0
LOG_LINES = 8


class Run:
    """One run. `play` answers the exit code of a run that ended early, or None for the analysis to say."""

    def __init__(self, experiment: Experiment, folder: RunFolder, progress: Progress) -> None:
        self.experiment = experiment
        self.folder = folder
        self.progress = progress
        self.token = secrets.token_urlsafe(24)
        self.load = LoadControl()
        self.collector = Collector(
            folder.spans,
            folder.gauges,
            self.token,
            self._counters,
            self._record_failed,
            Copy.from_environment(os.environ),
        )
        self.guardrails = GuardrailWatch(experiment.guardrails)
        self.watch = LiveShare()
        self.spans_ended: dict[str, int | None] = {}
        self.supervisor: Supervisor | None = None
        self.analysis: AnalysisChild | None = None
        self.plays: list[FaultPlay] = []
        self._tasks: list[asyncio.Task[Any]] = []
        self._released = asyncio.Event()
        self._fleet_whole = asyncio.Event()
        """The gateway has seen every replica well: one still shut out from start-up would spoil the baseline."""
        self._stopping = False
        self.early = EarlyEnd()
        self._zero = 0.0

    # -- what may end a run early -----------------------------------------------------------------------------------
    def _counters(self, counters: Counters) -> Mapping[str, object]:
        self.spans_ended[f"{counters.process}#{counters.incarnation}"] = counters.spans.get("ended")
        self.progress.counters(counters)
        replicas = counters.data.get("replicas", {}) if counters.kind == "gateway" else {}
        if replicas and not any(state["ejected"] for state in replicas.values()):
            self._fleet_whole.set()
        if counters.kind == "load":
            self.watch.observe(counters.data)
        elif counters.kind == "replica":
            self.watch.replica(counters.process, counters.data)
        if counters.kind == "load" and self.load.command == "run":
            tripped = self.guardrails.observe(counters.at / 1e9, counters.data)
            if tripped is not None:
                self.folder.events.write("guardrail", text=tripped.text, value=tripped.value)
                self.early.end("aborted", f"guardrail: {tripped.text} (it was {tripped.value:g})", 4)
        return self.load.heard(counters)

    def _shepherd_gone(self, error: ShepherdGone) -> None:
        self.early.end("failed", str(error), 5)

    def _record_failed(self, error: RecordFull) -> None:
        self.early.end("failed", str(error), 5)

    def _exited(self, child: Child, status: int, expected: bool) -> None:
        leaving = child.name == LOAD and self.load.command == "stop"
        expected = expected or self._stopping or leaving or child.name == STEADY
        with contextlib.suppress(RecordFull):
            self.folder.events.write(
                "process",
                name=child.name,
                incarnation=child.incarnation,
                pid=child.pid,
                kind=child.kind,
                event="exited",
                status=status,
                expected=expected,
            )
        if not expected:
            how = f"killed by signal {-status}" if status < 0 else f"exit code {status}"
            self.early.end("failed", f"{child.name} ended by itself ({how}){self._last_words(child.name)}", 5)

    def _last_words(self, process: str) -> str:
        try:
            lines = self.folder.log(process).read_text(errors="replace").splitlines()[-LOG_LINES:]
        except OSError:
            lines = []
        return "".join(f"\n    {line}" for line in lines) + f"\n    log: {self.folder.log(process)}"

    # -- the run ----------------------------------------------------------------------------------------------------
    async def play(self) -> Ended | None:
        """Set up, play, tear down. Answers why it ended early, or None."""
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(signum, self.early.end, "interrupted", f"interrupted by {signum.name}", 130)
        ended: Ended | None = None
        self.folder.events.write("run", event="started", why="")
        self._machine()
        try:
            await self.collector.start()
            async with Supervisor(
                run_dir=self.folder.path,
                owner=self.folder.path.name,
                token=self.token,
                on_exit=self._exited,
                on_gone=self._shepherd_gone,
            ) as self.supervisor:
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
                ended = await self._close_record(self.supervisor, ended)
        except TargetFailed as error:
            ended = ended or Ended("failed", str(error), 5)
        finally:
            await self.collector.close()
        return ended

    async def _play_on(self, supervisor: Supervisor) -> None:
        self._phase("setup")
        deployment = self._deploy()
        try:
            children = []
            if deployment is not None:
                children = [deployment.replica_spec(name) for name in deployment.addresses] + [
                    deployment.gateway_spec()
                ]
            await self._set_up(supervisor, children, deployment)

            async def start_again(name: str, cold_start_s: float) -> None:
                assert deployment is not None
                await self._spawn(supervisor, deployment.replica_spec(name, cold_start_s))

            addresses = deployment.addresses if deployment is not None else {}
            control_port = deployment.gateway_control_port if deployment is not None else 0
            async with LiveStage(supervisor, addresses, self.token, start_again, self.load, control_port) as stage:
                try:
                    await self._timeline(stage)
                finally:
                    await self._release()
        finally:
            self.load.command = "stop"
            # It ends every session, so that each has its span, and leaves by itself.
            with contextlib.suppress(TimeoutError, LookupError, ShepherdGone):
                await asyncio.wait_for(supervisor.wait(LOAD), LOAD_ENDS_WITHIN_S)

    def _deploy(self) -> Deployment | None:
        stack = self.experiment.stack
        if stack is None:
            return None
        return Deployment.plan(stack, self.folder, self.token, self.collector.url, self.experiment.seed)

    async def _set_up(self, supervisor: Supervisor, children: list[ChildSpec], deployment: Deployment | None) -> None:
        own = self.experiment.url
        url = deployment.gateway_url if deployment else own.url if own else ""
        config = load_config(self.experiment, url)
        load = load_spec(self.folder, config, token=self.token, collector=self.collector.url)
        await self.early.or_end(asyncio.gather(*(self._spawn(supervisor, spec) for spec in [*children, load])))
        await self.early.or_end(self._all_ready(deployment))

    async def _spawn(self, supervisor: Supervisor, spec: ChildSpec) -> Child:
        child = await supervisor.spawn(spec)
        self.spans_ended.setdefault(f"{child.name}#{child.incarnation}", None)
        self._started(child)
        return child

    def _started(self, child: Child) -> None:
        self.folder.events.write(
            "process",
            name=child.name,
            incarnation=child.incarnation,
            pid=child.pid,
            kind=child.kind,
            event="started",
            status=None,
            expected=True,
        )

    async def _all_ready(self, deployment: Deployment | None) -> None:
        async def stack() -> None:
            if deployment is not None:
                await all_ready(deployment.urls(), self._is_ready)
                await self._fleet_whole.wait()

        waits = {"the stack": stack(), "the load generator": self.load.connected.wait()}
        tasks = {what: asyncio.ensure_future(wait) for what, wait in waits.items()}
        _, late = await asyncio.wait(tasks.values(), timeout=READY_WITHIN_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        if late:
            names = " and ".join(what for what, task in tasks.items() if task in late)
            why = f"{names} was not ready within {READY_WITHIN_S:g} s; logs are in {self.folder.path / 'logs'}"
            raise Ended("failed", why, 5)
        await asyncio.gather(*tasks.values())

    def _is_ready(self, name: str) -> None:
        self.folder.events.write("process", name=name, event="ready", status=None, expected=True)

    async def _timeline(self, stage: LiveStage) -> None:
        timeline = self.experiment.timeline
        self.plays = self._plays(stage) if self.experiment.faults else []
        for play in self.plays:
            play.plan()
        self.load.command = "run"
        try:
            await self.early.or_end(asyncio.wait_for(self.load.started.wait(), LOAD_STARTS_WITHIN_S))
        except TimeoutError:
            raise Ended("failed", f"the load did not start{self._last_words(LOAD)}", 5) from None
        assert self.load.started_ns is not None
        self._zero = time.monotonic() - (time.time_ns() - self.load.started_ns) / 1e9
        self._phase("warmup", timeline.warmup_s, at_ns=self.load.started_ns)
        await self._until(timeline.warmup_s)
        self._phase("baseline", timeline.baseline_s)
        first = min((entry.at_s for entry in self.experiment.faults), default=0.0)
        base = timeline.warmup_s + timeline.baseline_s
        await self._until(base)
        unfit = await self._unsteady() if self.experiment.steady_state else ""
        if unfit:
            await self._drain(timeline.drain_s)
            raise Ended("not_steady", unfit, 1)
        await self._until(base + first)
        if self.plays:
            self._phase("fault", max(entry.at_s + entry.for_s for entry in self.experiment.faults) - first)
            entries = zip(self.plays, self.experiment.faults, strict=True)
            self._tasks = [
                asyncio.create_task(self._play_fault(play, base + entry.at_s, entry.for_s)) for play, entry in entries
            ]
            await self.early.or_end(asyncio.gather(*self._tasks))
            await self._recover()
        elif self.experiment.twin_of is not None:
            fault_s = self.experiment.twin_of.fault_s
            self._phase("fault", fault_s)
            await self._until(base + fault_s)
            await self._recover()
        await self._drain(timeline.drain_s)

    async def _recover(self) -> None:
        recovery_s = self.experiment.timeline.recovery_s
        self._phase("recovery", recovery_s)
        await self.early.or_end(asyncio.sleep(recovery_s))
        if self.experiment.timeline.confirm_metastable and self.plays:
            begin = self._zero + self.experiment.timeline.warmup_s
            await confirm(
                self.watch,
                (begin, begin + self.experiment.timeline.baseline_s),
                grace_s(self.experiment.profile.client.timeout_s),
                load=self.load,
                events=self.folder.events,
                phase=self._phase,
                or_end=self.early.or_end,
            )

    async def _unsteady(self) -> str:
        """Judge `steady_state`; the baseline goes on meanwhile, and everything after it is that much later."""
        assert self.supervisor is not None
        begun = time.monotonic()
        spec = steady_spec(self.folder.path, self.folder.log(STEADY))
        why = await self.early.or_end(unsteady(self.supervisor, spec, self._started))
        self._zero += time.monotonic() - begun
        return why

    async def _drain(self, drain_s: float) -> None:
        self._phase("drain", drain_s)
        self.analysis = AnalysisChild(self.folder.path)
        self.load.command = "drain"
        with contextlib.suppress(TimeoutError):
            await self.early.or_end(asyncio.wait_for(self.load.done.wait(), drain_s))

    def _plays(self, stage: LiveStage) -> list[FaultPlay]:
        provider = TracerProvider(resource=resource(SERVICE_RUNNER, "runner", 1))
        count = SpanCount()
        provider.add_span_processor(count)
        provider.add_span_processor(SimpleSpanProcessor(CollectorExporter(self.collector)))
        self._runner_spans = count
        tracer = provider.get_tracer("brownout.chaos")
        return [
            FaultPlay(
                entry.fault,
                stage,
                self.folder.events,
                tracer,
                pools=list(entry.pools),
                params=entry.params,
                share=entry.share,
                only=entry.only,
                say=self.progress.say,
            )
            for entry in self.experiment.faults
        ]

    async def _play_fault(self, play: FaultPlay, at_s: float, for_s: float) -> None:
        await asyncio.sleep(max(0.0, self._zero + at_s - time.monotonic()))
        if self._released.is_set():
            return
        text = f"{play.fault.kind} on {', '.join(play.fault.targets)}"
        self.progress.fault(text, on=True)
        try:
            await play.play(for_s, self._released)
        finally:
            self.progress.fault(text, on=False)
            played = play.played  # also of one whose run was ended meanwhile
            if played.problem and not played.verified:
                self.early.end("failed", f"{played.problem}\n    undo it by hand: see {self.folder.undo}", 5)

    async def _release(self) -> None:
        """Let every fault go, and wait until each is reverted."""
        self._released.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _until(self, at_s: float) -> None:
        await self.early.or_end(asyncio.sleep(max(0.0, self._zero + at_s - time.monotonic())))

    def _phase(self, name: str, lasts_s: float | None = None, *, at_ns: int | None = None) -> None:
        self.folder.events.write("phase", phase=name, at_ns=at_ns)
        self.progress.phase(name, lasts_s)

    def _machine(self) -> None:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        self.folder.events.write(
            "machine",
            cores=len(os.sched_getaffinity(0)),
            memory_bytes=memory,
            python=platform.python_version(),
            kernel=platform.release(),
        )

    # -- the end ----------------------------------------------------------------------------------------------------
    async def _close_record(self, supervisor: Supervisor, ended: Ended | None) -> Ended | None:
        """Stop what was started, so that every span is in; close the record."""
        self.progress.phase("analysis")
        with contextlib.suppress(ShepherdGone):
            await supervisor.stop_all()
        ended = gravest([*([ended] if ended else []), *self.early.reasons])
        if self.plays:
            self.spans_ended["runner#1"] = self._runner_spans.ended
        try:
            instances = {instance: {"ended": ended} for instance, ended in self.spans_ended.items()}
            self.folder.events.write("spans", instances=instances)
            if self.collector.copy is not None:
                self.folder.events.write("copy", sent=self.collector.copy.sent, lost=self.collector.copy.lost)
            self.folder.events.write("run", event=ended.event if ended else "finished", why=ended.why if ended else "")
            self.folder.events.write("phase", phase="end")
        except RecordFull as error:
            ended = ended or Ended("failed", str(error), 5)
        return ended
