"""One whole run: plays an experiment and writes its record.

A run goes through these steps; `Run.play` is their order, and each names where to read on:

1. The collector starts: from now on, spans and counters of every process go into the record (`chaos.runner.collector`).
2. The shepherd starts: a small process that is the parent of all others, and that undoes every fault and kills every
   process if this one is gone (`chaos.supervision`).
3. The deployment gives each process its ports and configuration; the shepherd starts replicas, gateway and load
   generator, and the run waits until all of them report ready (`chaos.runner.deployment`, `chaos.runner.readiness`).
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
import time
from collections.abc import Mapping

import msgspec
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from chaos.children.telemetry import SpanCount, resource
from chaos.experiment.guardrails import GuardrailWatch
from chaos.experiment.model import Experiment, UrlTarget
from chaos.runner.analysis_child import AnalysisChild
from chaos.runner.collector import Collector, CollectorExporter, Copy, Counters
from chaos.runner.confirmation import LiveShare
from chaos.runner.deployment import LOAD, Deployment, load_spec
from chaos.runner.early_end import EarlyEnd, Ended, most_severe
from chaos.runner.fault_play import FaultPlay
from chaos.runner.interrupts import Interrupts
from chaos.runner.live_world import LiveWorld
from chaos.runner.load_config import load_config
from chaos.runner.load_control import LoadControl
from chaos.runner.probe import PROBE, probe_spec, probe_target
from chaos.runner.probe_result import failure_text, notes
from chaos.runner.progress import Progress
from chaos.runner.readiness import all_ready
from chaos.runner.record_writer import RecordFull, RunFolder
from chaos.runner.silence import SilenceWatch, silence_text
from chaos.runner.steady_check import STEADY, steady_spec, unsteady
from chaos.runner.timeline_play import TimelinePlay
from chaos.supervision.link import Refused
from chaos.supervision.supervisor import Child, ChildSpec, ShepherdGone, Supervisor
from reports.shared.attributes import SERVICE_RUNNER, TARGET_LOAD
from reports.shared.errors import TargetFailed

__all__ = ["Run"]

READY_WITHIN_S = 60.0
LOAD_ENDS_WITHIN_S = 5.0
INTERRUPTED_LOAD_ENDS_WITHIN_S = 1.0
INTERRUPTED_GRACE_S = 0.6
"""How long the processes of one kind may take to end after Ctrl-C, before SIGKILL."""
LOG_LINES = 8


class Run:
    """One run. `play` plays it, and returns why it ended early, or None: the analysis decides the verdict."""

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
        self.silence = SilenceWatch(self._state, self._stopped_by_fault)
        self.spans_ended: dict[str, int | None] = {}
        self.supervisor: Supervisor | None = None
        self.analysis: AnalysisChild | None = None
        self.plays: dict[str, FaultPlay] = {}
        """By fault id."""
        self._fleet_whole = asyncio.Event()
        """Set once the gateway has seen every replica healthy: one still ejected since start-up would distort the
        baseline.
        """
        self._stopping = False
        self.world: LiveWorld | None = None
        self.early = EarlyEnd(self._stop_acting)
        self.interrupts = Interrupts(self.early, self._kill_all, progress.say)

    # -- what may end a run early -----------------------------------------------------------------------------------
    def _stop_acting(self) -> None:
        """The run ends early: no more load from now on, and no process is started again."""
        self.load.command = "stop"
        if self.world is not None:
            self.world.end()

    def _kill_all(self) -> None:
        if self.supervisor is not None:
            self.supervisor.end_now()

    def _counters(self, counters: Counters) -> Mapping[str, object]:
        self.spans_ended[f"{counters.process}#{counters.incarnation}"] = counters.spans.get("ended")
        self.progress.counters(counters)
        self.silence.posted(counters.process, counters.incarnation, final=counters.final)
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
        return self.load.on_counters(counters)

    def _shepherd_gone(self, error: ShepherdGone) -> None:
        self.early.end("failed", str(error), 5)

    def _record_failed(self, error: RecordFull) -> None:
        self.early.end("failed", str(error), 5)

    def _exited(self, child: Child, status: int, expected: bool) -> None:
        self.silence.exited(child.name, child.incarnation)
        leaving = child.name == LOAD and self.load.command == "stop"
        expected = expected or self._stopping or leaving or child.name in (STEADY, PROBE)
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
            self.early.end("failed", f"{child.name} exited unexpectedly ({how}){self._last_words(child.name)}", 5)

    def _has_ended(self, target: str) -> bool:
        """Whether the process of a fault's target has ended; for a fault of the load, the load generator."""
        return self._state(LOAD if target == TARGET_LOAD else target) == "gone"

    def _state(self, process: str) -> str:
        return self.supervisor.state(process) if self.supervisor is not None else "gone"

    def _stopped_by_fault(self, process: str) -> bool:
        """Whether a fault that acts on processes is active on this one."""
        return any(
            play.active and play.fault.where == "process" and process in play.fault.targets
            for play in self.plays.values()
        )

    async def _end_when_silent(self, supervisor: Supervisor) -> None:
        """From the start of the load on: end the run when a process is silent. Then kill the process."""
        await self.load.started.wait()
        silence = await self.silence.until_silent()
        child = supervisor.child(silence.process)
        at_s = (time.time_ns() - (self.load.started_ns or 0)) / 1e9
        why = silence_text(silence, child.kind if child else "", at_s, self._last_words(silence.process))
        self.early.end("failed", why, 5)
        # A stopped process would hold up the end of the run, and the revert of a fault that acts inside it.
        with contextlib.suppress(LookupError, ShepherdGone, Refused):
            await supervisor.kill(silence.process)

    def _last_words(self, process: str) -> str:
        try:
            lines = self.folder.log(process).read_text(errors="replace").splitlines()[-LOG_LINES:]
        except OSError:
            lines = []
        return "".join(f"\n    {line}" for line in lines) + f"\n    log: {self.folder.log(process)}"

    # -- the run ----------------------------------------------------------------------------------------------------
    async def play(self) -> Ended | None:
        """Set up, play, tear down. Returns why the run ended early; None: it did not."""
        self.interrupts.install()
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
            await self.collector.close(0.3 if self.interrupts.received else 2.0)
            self.interrupts.close()
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
            async with LiveWorld(supervisor, addresses, self.token, start_again, self.load, control_port) as world:
                self.world = world
                if self.experiment.faults:
                    self.plays = self._plays(world)
                timeline = TimelinePlay(
                    self.experiment,
                    self.plays,
                    self.load,
                    self.early,
                    self.watch,
                    self.folder.events,
                    self.progress,
                    judge_steady_state=self._unsteady,
                    on_drain=self._start_analysis,
                    load_log=lambda: self._last_words(LOAD),
                )
                listening = asyncio.create_task(self._end_when_silent(supervisor))
                try:
                    await timeline.play()
                finally:
                    await timeline.release()
                    listening.cancel()
                    await asyncio.gather(listening, return_exceptions=True)
        finally:
            self.load.command = "stop"
            # It ends every session, so that each has its span, and exits by itself.
            within_s = INTERRUPTED_LOAD_ENDS_WITHIN_S if self.interrupts.received else LOAD_ENDS_WITHIN_S
            with contextlib.suppress(TimeoutError, LookupError, ShepherdGone):
                await asyncio.wait_for(supervisor.wait(LOAD), within_s)

    def _deploy(self) -> Deployment | None:
        stack = self.experiment.stack
        if stack is None:
            return None
        return Deployment.plan(stack, self.folder, self.token, self.collector.url, self.experiment.seed)

    async def _set_up(self, supervisor: Supervisor, children: list[ChildSpec], deployment: Deployment | None) -> None:
        own = self.experiment.url
        url = deployment.gateway_url if deployment else own.url if own else ""
        config = load_config(self.experiment, url)
        if own is not None:
            await self.early.or_end(self._probe(supervisor, own, config))
        load = load_spec(self.folder, config, token=self.token, collector=self.collector.url)
        await self.early.or_end(asyncio.gather(*(self._spawn(supervisor, spec) for spec in [*children, load])))
        await self.early.or_end(self._all_ready(deployment))

    async def _probe(self, supervisor: Supervisor, target: UrlTarget, config: Mapping[str, object]) -> None:
        """Call a user's endpoint once, before any load. Raises `Ended` if that fails."""
        self.progress.say("one call to the target, before any load")
        spec = probe_spec(self.folder, config, token=self.token)
        result = await probe_target(supervisor, spec, self._started)
        self.folder.events.write("probe", **msgspec.structs.asdict(result))
        if not result.ok:
            raise Ended("failed", failure_text(result, target.key_variables), 5)
        for note in notes(result):
            self.progress.say(note)

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

    async def _unsteady(self) -> str:
        """Judge `steady_state`; returns what fails, or "". The load goes on meanwhile."""
        assert self.supervisor is not None
        return await unsteady(self.supervisor, steady_spec(self.folder.path, self.folder.log(STEADY)), self._started)

    def _start_analysis(self) -> None:
        """The analysis process starts at the drain, so that it is ready when the record is closed."""
        self.analysis = AnalysisChild(self.folder.path)

    def _plays(self, world: LiveWorld) -> dict[str, FaultPlay]:
        provider = TracerProvider(resource=resource(SERVICE_RUNNER, "runner", 1))
        count = SpanCount()
        provider.add_span_processor(count)
        provider.add_span_processor(SimpleSpanProcessor(CollectorExporter(self.collector)))
        self._runner_spans = count
        tracer = provider.get_tracer("brownout.chaos")
        return {
            entry.id: FaultPlay(
                entry.fault,
                world,
                self.folder.events,
                tracer,
                pools=list(entry.pools),
                params=entry.params,
                share=entry.share,
                only=entry.only,
                traits=entry.spec.traits().recorded(),
                say=self.progress.say,
            )
            for entry in self.experiment.faults
        }

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
        """Stop every process, so that every span has arrived; close the record."""
        self.progress.phase("analysis")
        with contextlib.suppress(ShepherdGone):
            await supervisor.stop_all(INTERRUPTED_GRACE_S if self.interrupts.received else None)
        for play in self.plays.values():
            await play.settle(self._has_ended)
            if play.active:
                self.early.end("failed", play.played.problem, 5)
        ended = most_severe([*([ended] if ended else []), *self.early.reasons])
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
