"""`brownout up`: a stack that stays up until Ctrl-C, with commands from another terminal.

Its record is that of a run: faults, load and commands are in it, and `brownout report` reads it. A process that dies is
shown and stays down until `brownout restart` or its fault's revert; the rest stays up.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from chaos.by_hand.borrowing import replicas_digest
from chaos.by_hand.control import ControlSocket, Say
from chaos.by_hand.controls import HandControls
from chaos.by_hand.guest import Guest
from chaos.by_hand.injection import Injection
from chaos.by_hand.load import HandLoad
from chaos.by_hand.processes import process_facts, start_lent_again, start_process_again
from chaos.by_hand.reserve import operations_of
from chaos.by_hand.runtime import Entry, announce, socket_path, withdraw
from chaos.experiment.model import Experiment, Front
from chaos.runner.alert_receiver import AlertReceiver
from chaos.runner.collector import Collector, Copy, Counters
from chaos.runner.deployment import LOAD
from chaos.runner.early_end import EarlyEnd, Ended, most_severe
from chaos.runner.fault_play import FaultPlay
from chaos.runner.fault_plays import FaultPlays
from chaos.runner.interrupts import Interrupts
from chaos.runner.live_world import LiveWorld
from chaos.runner.load_control import LoadControl
from chaos.runner.record_writer import RecordFull, RunFolder
from chaos.runner.run_watch import RunWatch
from chaos.runner.setup import Setup
from chaos.runner.silence import LOOK_EVERY_S
from chaos.supervision.identity import identify
from chaos.supervision.supervisor import Child, ShepherdGone, Supervisor
from reports.shared.attributes import TARGET_LOAD
from reports.shared.errors import TargetFailed, UserError

__all__ = ["Up"]

GRACE_S: Final = 0.6
"""How long the processes of one kind may take to end, before SIGKILL."""


class Up:
    """One stack. `serve` starts it, waits for a signal, and ends it. `say` prints a line for the user.

    `guest` uses it from within this process, and says when it ends.
    """

    def __init__(
        self,
        experiment: Experiment,
        folder: RunFolder,
        say: Say,
        *,
        front: Front,
        gateway_port: int,
        guest: Guest | None = None,
    ) -> None:
        self.experiment = experiment
        self.folder = folder
        self.say = say
        self.token = secrets.token_urlsafe(24)
        self.plays: dict[str, FaultPlay] = {}
        self.early = EarlyEnd(self._ending)
        self.watch = RunWatch(experiment, folder, self.early, LoadControl(), self.plays, lambda child: True)
        self.collector = Collector(
            folder.spans,
            folder.gauges,
            self.token,
            self._counters,
            lambda error: self.early.end("failed", str(error), 5),
            Copy.from_environment(os.environ),
        )
        port = experiment.alerts.port if experiment.alerts is not None else None
        self.alerts = AlertReceiver(port, folder.events, say, lambda error: self.early.end("failed", str(error), 5))
        self.interrupts = Interrupts(self.early, self._kill_all, say, "every fault is reverted, every process ends")
        self.controls: HandControls | None = None
        self._front = front
        self._gateway_port = gateway_port
        self._guest = guest
        self._supervisor: Supervisor | None = None
        self._setup: Setup | None = None
        self._load: HandLoad | None = None
        self._world: LiveWorld | None = None
        self._last: dict[str, Counters] = {}
        self._began_s = time.monotonic()
        self._fault_plays = FaultPlays(self.collector, folder.events, experiment.seed, say)
        self._restarting: set[str] = set()

    # -- callbacks --------------------------------------------------------------------------------------------------
    def _ending(self) -> None:
        if self._load is not None:
            self._load.control.command = "stop"
        if self._world is not None:
            self._world.end()
        for play in self.plays.values():
            play.release()

    def _kill_all(self) -> None:
        if self._supervisor is not None:
            self._supervisor.end_now()

    def _counters(self, counters: Counters) -> Mapping[str, object]:
        self._last[counters.process] = counters
        self.watch.counters(counters)
        if self._guest is not None:
            self._guest.counters(counters)
        return self._load.on_counters(counters) if self._load is not None else {"command": "wait"}

    def _exited(self, child: Child, status: int, expected: bool) -> None:
        self.watch.exited(child, status, expected)
        ordered = expected or self.early.ending or child.name in self._restarting
        if child.name == LOAD and self._load is not None:
            ordered = ordered or not self._load.running
            self._load.running = False
        if not ordered:
            how = f"killed by signal {-status}" if status < 0 else f"exit code {status}"
            helps = "brownout load start" if child.name == LOAD else f"brownout restart {child.name}"
            self.say(f"{child.name} has ended by itself ({how}); it stays down: {helps}")
            if self._guest is not None:
                self._guest.exited(child.name)

    def _lapsed(self, target: str, fault_id: str) -> None:
        if (play := self.plays.get(fault_id)) is not None:
            play.lapsed(target)
            if self._guest is not None:
                self._guest.lapsed(target, fault_id)

    # -- its life ---------------------------------------------------------------------------------------------------
    async def serve(self) -> Ended | None:
        """Start the stack, and end it when a signal comes. Returns why it failed; None where it did not.

        Raises UserError if a port is in use.
        """
        self.interrupts.install()
        self.folder.events.write("run", event="started", why="")
        try:
            await self.collector.start()
            await self.alerts.start()
            async with Supervisor(
                run_dir=self.folder.path,
                owner=self.folder.path.name,
                token=self.token,
                on_exit=self._exited,
                on_gone=lambda error: self.early.end("failed", str(error), 5),
            ) as self._supervisor:
                self.watch.supervisor = self._supervisor
                with contextlib.suppress(Ended):  # its reason is in `early`
                    await self._serve_on(self._supervisor)
                await self._stop(self._supervisor)
        except TargetFailed as error:
            self.early.end("failed", str(error), 5)
        finally:
            await self.alerts.close()
            if self._guest is not None:  # the exercise is over, also where it was stopped
                await self.collector.release(0.3 if self.interrupts.received else 2.0)
            await self.collector.close(0.3 if self.interrupts.received else 2.0)
            self.interrupts.close()
        return self._close_record()

    async def _serve_on(self, supervisor: Supervisor) -> None:
        self.folder.events.write("phase", phase="setup")
        setup = self._setup = Setup(
            self.experiment,
            self.folder,
            supervisor,
            self.watch,
            self.early,
            LoadControl(),
            self.say,
            self.token,
            self.collector.url,
            front=self._front,
            gateway_port=self._gateway_port,
            with_reserve=self._front == "reference",
        )
        try:
            await setup.start_stack()
        except Ended as ended:
            self.early.end(ended.event, ended.why, ended.exit_code)
            raise
        load = self._load = HandLoad(self.experiment, setup, lambda fault_id: self._lapsed(TARGET_LOAD, fault_id))
        async with LiveWorld(
            supervisor,
            setup.addresses,
            self.token,
            setup.start_again,
            load.control,
            setup.gateway_control_port,
            self._lapsed,
            self.watch.refusals,
        ) as world:
            self._world = load.world = world
            await self._until_ended(setup, world, load)

    async def _until_ended(self, setup: Setup, world: LiveWorld, load: HandLoad) -> None:
        assert self.experiment.stack is not None
        controls = self.controls = HandControls(
            stack=self.experiment.stack,
            profile=self.experiment.profile,
            seed=self.experiment.seed,
            world=world,
            events=self.folder.events,
            plays=self.plays,
            make_play=self._make_play,
            restart=self._restart,
            facts=self._facts,
            say=self.say,
            load=load,
            lend=self._lend if self._front == "none" else None,
            operations=operations_of(setup, world, self._restarting) if self._front == "reference" else None,
        )
        entry = self._entry()
        assert self._supervisor is not None
        watching = [
            asyncio.create_task(self._note_refusals()),
            asyncio.create_task(self.watch.watch_shepherd(self._supervisor)),
        ]
        for task in watching:
            task.add_done_callback(self._watch_ended)
        if setup.gateway is not None:
            watching.append(setup.gateway.start_watch())
        try:
            async with ControlSocket(Path(entry.socket), controls):
                entry = announce(entry)
                self._say_ready(entry)
                await self.early.or_end(
                    asyncio.Event().wait() if self._guest is None else self._guest.stay(self.controls)
                )
        except UserError as error:  # the folder of these files is full or gone
            raise TargetFailed(str(error)) from None
        finally:
            withdraw(entry)
            await controls.close()
            await load.stop()
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)

    def _watch_ended(self, watching: asyncio.Task[None]) -> None:
        if not watching.cancelled() and (error := watching.exception()) is not None:
            self.early.end("failed", f"the watch over the stack crashed: {error!r}", 5)

    async def _note_refusals(self) -> None:
        while True:
            self.watch.note_refusals()
            await asyncio.sleep(LOOK_EVERY_S)

    def _entry(self) -> Entry:
        setup, identity = self._setup, identify(os.getpid())
        assert setup is not None
        assert identity is not None
        assert self.experiment.stack is not None
        stack = self.experiment.stack.name
        socket, folder = str(socket_path()), str(self.folder.path.absolute())
        digest = replicas_digest(self.experiment.stack)
        return Entry(stack, "up", socket, folder, stack, setup.url, self.experiment.first_port, *identity, digest)

    def _say_ready(self, entry: Entry) -> None:
        setup, stack = self._setup, self.experiment.stack
        assert setup is not None
        assert stack is not None
        at = "" if entry.name == stack.name else f" --at {entry.name}"
        if setup.url:
            front = f"gateway {self.experiment.gateway}" if self.experiment.gateway is not None else "gateway"
            self.say(f"{setup.url}/v1  {front}; model {stack.model}")
        else:
            self.say(f"upstreams of your gateway; model {stack.model}")
        for name, address in setup.addresses.items():
            self.say(f"  http://127.0.0.1:{address.port}/v1  {name} ({address.view.cloud})")
        self.say(f"Ctrl-C ends it; from another terminal: brownout status{at}, brownout inject kill --pool NAME{at}")

    def _make_play(self, one: Injection) -> FaultPlay:
        assert self._world is not None
        return self._fault_plays.make(one.occurrence, one.pools, self._world)

    async def _restart(self, name: str, say: Say) -> None:
        assert self._setup is not None
        self._restarting.add(name)
        try:
            await start_process_again(self._setup, name, say)
        finally:
            self._restarting.discard(name)

    async def _lend(self) -> Callable[[], Awaitable[bool]]:
        """End every replica, so that a run can have its own on these ports. Returns what starts them again."""
        supervisor, setup = self._supervisor, self._setup
        assert supervisor is not None
        assert setup is not None
        names = list(setup.addresses)
        self._restarting.update(names)
        there = [name for name in names if supervisor.state(name) != "gone"]
        await asyncio.gather(*(supervisor.stop(name, GRACE_S, signal.SIGINT) for name in there))

        async def give_back() -> bool:
            try:
                if self.early.ending:
                    return False
                await start_lent_again(setup)
                return True
            finally:
                self._restarting.difference_update(names)

        return give_back

    def _facts(self) -> dict[str, Any]:
        assert self._setup is not None
        up_s = round(time.monotonic() - self._began_s, 1)
        return {"what": "up", "up_s": up_s, **process_facts(self._setup, self._last)}

    # -- the end ----------------------------------------------------------------------------------------------------
    async def _stop(self, supervisor: Supervisor) -> None:
        with contextlib.suppress(ShepherdGone):
            await supervisor.stop_all(GRACE_S)
        await supervisor.swept()
        for play in self.plays.values():
            await play.settle(lambda name: self.watch.state(LOAD if name == TARGET_LOAD else name) == "gone")
            if play.active:
                self.early.end("failed", play.played.problem, 5)
        if self._guest is not None:
            self._guest.left([play.played.problem for play in self.plays.values() if play.active])
        with contextlib.suppress(RecordFull):
            self.folder.events.write("phase", phase="end")

    def _close_record(self) -> Ended | None:
        failed = most_severe([reason for reason in self.early.reasons if reason.exit_code == 5])
        if self.plays:
            self.watch.spans_ended["runner#1"] = self._fault_plays.spans.ended
        try:
            instances = {instance: {"ended": count} for instance, count in self.watch.spans_ended.items()}
            self.folder.events.write("spans", instances=instances)
            self.folder.events.write("run", event="failed" if failed else "finished", why=failed.why if failed else "")
        except RecordFull as error:
            failed = failed or Ended("failed", str(error), 5)
        return failed
