"""Watches a run, by what its processes post and how they exit. It ends the run early for a guardrail, a process that is
silent, and a process that exits unexpectedly.

Guardrails and silence are judged four times a second on the runner's own clock: a load generator that posts nothing
delays neither.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Mapping
from typing import Final

from chaos.experiment.guardrails import GuardrailWatch, Tripped
from chaos.experiment.model import Experiment
from chaos.runner.carry_watch import CarryWatch
from chaos.runner.confirmation import LiveShare
from chaos.runner.counters import Counters
from chaos.runner.cpu_wait import waited_for_cpu_s
from chaos.runner.deployment import GATEWAY
from chaos.runner.early_end import EarlyEnd
from chaos.runner.fault_play import FaultPlay
from chaos.runner.gateway_cpu import GatewayCpu, port_of, processes_at
from chaos.runner.listening import refuses_connections
from chaos.runner.load_control import LoadControl
from chaos.runner.record_writer import RecordFull, RunFolder
from chaos.runner.refusals import Refusals
from chaos.runner.silence import LOOK_EVERY_S, STOPPED_S, Silence, SilenceWatch, silence_text
from chaos.runner.user_commands import KIND as COMMAND
from chaos.supervision.link import Refused
from chaos.supervision.supervisor import Child, ShepherdGone, Supervisor

__all__ = ["RunWatch"]

LOG_LINES: Final = 8
_WITHOUT_IT: Final = "without it, no process can be started, killed or ended"


class RunWatch:
    """`plays`: the faults by id, filled later. `supervisor` is set when there is one.

    `may_exit(child)`: whether an exit of this process is no failure.
    """

    def __init__(
        self,
        experiment: Experiment,
        folder: RunFolder,
        early: EarlyEnd,
        load: LoadControl,
        plays: Mapping[str, FaultPlay],
        may_exit: Callable[[Child], bool],
    ) -> None:
        self.supervisor: Supervisor | None = None
        self.share = LiveShare()
        self.fleet_whole = asyncio.Event()
        """Set once the gateway has seen every replica healthy: one still ejected since start-up would distort the
        baseline.
        """
        self.refusals = Refusals()
        self._foreign_gateway = experiment.stack is not None and not experiment.own_gateway
        self.carry = CarryWatch(experiment.slo.ttft_s)
        self._url = experiment.url.url if experiment.url is not None else ""
        self._cpu = GatewayCpu(self._gateway_processes)
        self.spans_ended: dict[str, int | None] = {}
        """Ended spans of each process, by its name and incarnation, as it last posted them."""
        self._folder = folder
        self._early = early
        self._load = load
        self._plays = plays
        self._may_exit = may_exit
        self._guardrails = GuardrailWatch(experiment.guardrails)
        self._silence = SilenceWatch(self.state, self._silenced_by_fault, self._waited_s)

    # -- what the processes post ------------------------------------------------------------------------------------
    def started(self, child: Child) -> None:
        """A process has started."""
        self.spans_ended.setdefault(f"{child.name}#{child.incarnation}", None)

    def counters(self, counters: Counters) -> None:
        """A process has posted its counters."""
        self.spans_ended[f"{counters.process}#{counters.incarnation}"] = counters.spans.get("ended")
        self._silence.posted(counters.process, counters.incarnation, final=counters.final)
        replicas = counters.data.get("replicas", {}) if counters.kind == "gateway" else {}
        if replicas and not any(state["ejected"] for state in replicas.values()):
            self.fleet_whole.set()
        if counters.kind == "load":
            self.share.observe(counters.data)
            self.carry.load(counters.data)
            if self._load.command == "run":
                self._abort(self._guardrails.observe(counters.at / 1e9, counters.data))
        elif counters.kind == "replica":
            self.share.replica(counters.process, counters.data)
            self.carry.replica(counters.process, counters.data)

    def _abort(self, tripped: Tripped | None) -> None:
        if tripped is not None and not self._early.ending:
            with contextlib.suppress(RecordFull):
                self._folder.events.write("guardrail", text=tripped.text, value=tripped.value)
            self._early.end("aborted", f"guardrail: {tripped.text} (it was {tripped.value:g})", 4)

    # -- how they exit ----------------------------------------------------------------------------------------------
    def exited(self, child: Child, status: int, expected: bool) -> None:
        """A process has exited. What watches over a command of the user's is no part of the stack."""
        if child.kind == COMMAND:
            return
        self._silence.exited(child.name, child.incarnation)
        expected = expected or self._may_exit(child)
        with contextlib.suppress(RecordFull):
            self._folder.events.write(
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
            self._early.end("failed", f"{child.name} exited unexpectedly ({how}){self.log_excerpt(child.name)}", 5)

    def state(self, process: str) -> str:
        """`running`, `stopped` or `gone`."""
        return self.supervisor.state(process) if self.supervisor is not None else "gone"

    def log_excerpt(self, process: str) -> str:
        """The end of a process's log, as lines of a message."""
        log = self._folder.log(process)
        try:
            lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        except OSError:
            lines = []
        return "".join(f"\n    {line}" for line in lines) + f"\n    log: {log}"

    # -- what they do not post --------------------------------------------------------------------------------------
    async def watch(self) -> None:
        """From the start of the load on: judge guardrails and silence, until a process is silent or cancelled."""
        await self._load.started.wait()
        while (silence := self._silence.look()) is None:
            self.note_refusals()
            self._note_cpu()
            if self._load.command == "run":
                self._abort(self._guardrails.tick(time.time()))
            await asyncio.sleep(LOOK_EVERY_S)
        await self._end_for(silence)

    def note_refusals(self) -> None:
        """Behind a gateway that is not ours: how many connections were refused so far, whenever that has changed."""
        if self._foreign_gateway and (count := self.refusals.look()) is not None:
            with contextlib.suppress(RecordFull):
                self._folder.events.write("refused", count=count)

    def _note_cpu(self) -> None:
        """What a gateway that is not ours uses of the CPU, each second, where its processes are known."""
        if self._foreign_gateway and (used := self._cpu.look()) is not None:
            with contextlib.suppress(RecordFull):
                self._folder.events.write("gateway_cpu", cores=used.cores, busiest=used.busiest, waiting=used.waiting)

    def _gateway_processes(self) -> Collection[int]:
        """A gateway that this run started, else whoever listens on the port of the target's URL."""
        child = self.supervisor.child(GATEWAY) if self.supervisor is not None else None
        if child is not None:
            return [child.pid]
        port = port_of(self._url) if self._url else None
        return processes_at(port) if port is not None else []

    def not_carried(self, begin_s: float, end_s: float) -> str:
        """Why a gateway that is not ours does not carry the baseline's load; "" if it does. Monotonic seconds."""
        why = self.carry.not_carried(begin_s, end_s) if self._foreign_gateway else ""
        refuses = bool(why and self._url) and refuses_connections(self._url)
        _, _, served = why.partition(": ")
        return f"the gateway refuses connections, it died or stopped listening: {served}" if refuses else why

    async def watch_shepherd(self, supervisor: Supervisor) -> None:
        """From the setup until cancelled: one that is stopped ends the run, and is made to continue, to end it."""
        stopped_from: float | None = None
        while True:
            stopped_from = (stopped_from or time.monotonic()) if supervisor.shepherd_stopped else None
            if stopped_from is not None and time.monotonic() - stopped_from >= STOPPED_S:
                why = f"the shepherd (process {supervisor.shepherd_pid}) was stopped for {STOPPED_S:g} s: {_WITHOUT_IT}"
                self._early.end("failed", why, 5)
                supervisor.resume_shepherd()
                stopped_from = None
            await asyncio.sleep(LOOK_EVERY_S)

    async def _end_for(self, silence: Silence) -> None:
        """End the run, and kill the silent process: it would hold up the revert of a fault that acts inside it."""
        assert self.supervisor is not None
        child = self.supervisor.child(silence.process)
        at_s = (time.time_ns() - (self._load.started_ns or 0)) / 1e9
        log = self.log_excerpt(silence.process)
        self._early.end("failed", silence_text(silence, child.kind if child else "", at_s, log), 5)
        with contextlib.suppress(LookupError, ShepherdGone, Refused):
            await self.supervisor.kill(silence.process)

    def _waited_s(self, process: str) -> float | None:
        child = self.supervisor.child(process) if self.supervisor is not None else None
        return waited_for_cpu_s(child.pid) if child is not None else None

    def _silenced_by_fault(self, process: str) -> bool:
        """Whether a fault that acts on processes is active on this one."""
        return any(
            play.active and play.fault.where == "process" and process in play.fault.targets
            for play in self._plays.values()
        )
