"""What commands from another terminal do to a stack: the same faults, leases, confirmation and record as in a run.

Two commands that change something are never carried out at the same time. After `abort`, nothing can be injected until
`release`. Everything that is done is an event of the record (`action`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from chaos.by_hand.control import Say
from chaos.by_hand.hand_fault import EndReason, HandFault, HandWorld, end_reason
from chaos.by_hand.injection import Injection, injection, preview
from chaos.by_hand.load import HandLoad
from chaos.by_hand.load_commands import LoadCommands
from chaos.by_hand.operate_commands import OperateCommands
from chaos.by_hand.operations import HandOperations
from chaos.by_hand.restarts import RESTARTS, Restarts
from chaos.runner.deployment import GATEWAY
from chaos.runner.fault_play import FaultPlay
from chaos.runner.record_writer import EventLog, RecordFull
from loadprofiles.sessions.profile import Profile
from reports.shared.attributes import ABORTED_BY_HAND, TARGET_GATEWAY
from reports.shared.errors import BrownoutError, TargetFailed, UserError
from targets.stack import Stack

__all__ = ["LENT", "HandControls"]

ACTIONS: Final = (
    *("inject", "revert", "restart", "operate", "undo", "status", "abort", "release"),
    *("load_start", "load_stop", "load_level", "lend"),
)
LENT: Final = "lent"
"""What is said when the replicas are lent: their ports are free."""


@dataclass(slots=True)
class HandControls:
    """The commands on one stack. `make_play` prepares a fault to be played; `load` is None in a run of an experiment.

    `plays` gets every fault that is injected. `restart(name)` starts a process again, `facts()` is the stack for
    `status`, `end_run(why)` ends an experiment that is running; None where there is none.
    """

    stack: Stack
    profile: Profile
    seed: int
    world: HandWorld
    events: EventLog
    plays: dict[str, FaultPlay]
    make_play: Callable[[Injection], FaultPlay]
    restart: Callable[[str, Say], Any]
    facts: Callable[[], Mapping[str, Any]]
    say: Say
    load: HandLoad | None = None
    end_run: Callable[[str], None] | None = None
    lend: Callable[[], Awaitable[Callable[[], Awaitable[bool]]]] | None = None
    """Ends the replicas, so that a run can start its own on their ports; returns what starts them again.

    That returns whether it did: a stack that ends does not.
    """
    operations: HandOperations | None = None
    """None where the gateway is not ours."""
    lent_to: str = ""
    aborted: bool = False
    finished: bool = False
    """Whether `finish` was called: nothing can be injected or started any more."""
    faults: dict[str, HandFault] = field(default_factory=dict)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)
    _number: int = 0
    _abort_count: int = 0
    _aborts: set[asyncio.Event] = field(default_factory=set)
    """Of the aborts that are under way: each is set when it is done."""
    _returning: asyncio.Event | None = None
    """Set when lent replicas are back; None unless they are starting again."""

    async def __call__(self, request: Mapping[str, Any], say: Say, gone: asyncio.Event) -> Mapping[str, Any]:
        """Carry out one request. Raises UserError or TargetFailed."""
        do = str(request.get("do"))
        if do == "status":
            return self.status()
        if do not in ACTIONS:
            raise UserError(f'this stack does not know "{do}": it was started by another version of brownout')
        if do == "abort":  # whatever else is going on
            return await self.abort(say)
        if do == "lend":
            return await self._lend(request, say, gone)
        if do == "undo" or (do == "operate" and request.get("operation") not in RESTARTS):
            commands = OperateCommands(self.operations, self.world, self.faults, self.note)
            return await commands(request, say)  # a cold start delays no other command
        aborts = self._abort_count
        if self._one.locked():
            say("waits until another command is done")
        async with self._one:
            if self.lent_to and do != "revert":
                raise UserError(f"the replicas are lent to {self.lent_to} until it ends")
            match do:
                case "inject":
                    return await self._inject(request, say)
                case "revert":
                    return await self._revert(request, say)
                case "restart":
                    return await self._restarts().command(request, say)
                case "operate":
                    return await self._restarts().operation(request, say)
                case "load_start":
                    return await self._load_commands().start(request, say)
                case "load_stop":
                    return await self._load_commands().stop()
                case "load_level":
                    return self._load_commands().level(request)
            return await self._release(aborts)

    # -- faults -----------------------------------------------------------------------------------------------------
    async def _inject(self, request: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
        fault_id = f"h{self._number + 1}"
        stack = self.operations.stack_now() if self.operations is not None else self.stack
        options = request.get("options")
        one = injection(
            str(request.get("kind")),
            options if isinstance(options, dict) else {},
            stack=stack,
            profile=self.played_profile,
            offers=self.world.offers,
            fault_id=fault_id,
            seed=self.seed,
        )
        text = preview(one, len(stack.replicas))
        self._check(one)
        if request.get("dry_run"):
            return {"fault": "", "text": text}
        self._number += 1
        say(f"{fault_id}: {text}")
        fault = self._play(one)
        confirming = asyncio.create_task(fault.play.confirmed.wait())
        try:
            await asyncio.wait((confirming, fault.task), return_when=asyncio.FIRST_COMPLETED)
        finally:
            confirming.cancel()
        played = fault.play.played
        if not fault.play.confirmed.is_set():
            raise TargetFailed(played.problem or fault.problem or f"{fault_id} was reverted before it was confirmed")
        self.note("inject", f"{fault_id}: {text}")
        return {"fault": fault_id, "text": text, "targets": list(one.occurrence.targets)}

    @property
    def played_profile(self) -> Profile:
        """The profile of the load that runs: its tenants are those that a fault can name."""
        running = self.load.profile if self.load is not None and self.load.running else None
        return running or self.profile

    def _check(self, one: Injection) -> None:
        """Whether it can be injected now. Raises UserError."""
        spec = one.occurrence.spec
        if self.finished:
            raise UserError("this stack ends: nothing can be injected any more")
        if self.aborted:
            raise UserError("everything was aborted: nothing can be injected\n    brownout release")
        for fault_id, other in self.faults.items():
            both = other.occurrence.conflicts(one.occurrence) if other.active else []
            if both:
                kind = other.injection.occurrence.spec.kind
                raise UserError(
                    f"{', '.join(both)}: {kind} ({fault_id}) is active there, and a process that is stopped holds no "
                    f"other fault\n    brownout revert {fault_id}"
                )
        for fault_id, play in self._of_timeline():
            both = [name for name in one.occurrence.targets if name in play.fault.targets]
            if both and (spec.stops_process or play.stops_process):
                raise UserError(
                    f"{', '.join(both)}: {play.fault.kind} ({fault_id}) of the experiment is active there, and a "
                    "process that is stopped holds no other fault\n    wait until it is reverted"
                )
        down = self._down(one.occurrence.targets)
        if down:
            raise UserError(f"{', '.join(down)}: the process is down\n    brownout restart {down[0]}")
        if spec.where == "load" and (self.load is None or not self.load.running):
            raise UserError(f"{spec.kind} changes the load, and none is running\n    brownout load start")

    def _down(self, targets: tuple[str, ...]) -> list[str]:
        processes = [name for name in targets if name in self.world.replicas or name == TARGET_GATEWAY]
        return [name for name in processes if self.world.is_gone(name)]

    def _of_timeline(self) -> list[tuple[str, FaultPlay]]:
        """The active faults of the experiment that is running, by id."""
        return [(name, play) for name, play in self.plays.items() if name not in self.faults and play.active]

    def _play(self, one: Injection) -> HandFault:
        loop = asyncio.get_running_loop()
        play = self.make_play(one)
        play.plan()
        fault_id = one.occurrence.id
        self.plays[fault_id] = play
        ends_s = loop.time() + one.for_s if one.for_s is not None else None
        fault = HandFault(
            one, play, asyncio.create_task(self._until_reverted(fault_id, play.play)), loop.time(), ends_s
        )
        if ends_s is not None:
            fault.timer = loop.call_at(ends_s, fault.end, "time")
        self.faults[fault_id] = fault
        return fault

    async def _until_reverted(self, fault_id: str, play: Callable[[], Awaitable[object]]) -> None:
        try:
            await play()
        except TargetFailed as error:
            self.faults[fault_id].problem = str(error)
            self.say(str(error))

    async def _revert(self, request: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
        named = request.get("fault")
        active = {fault_id: fault for fault_id, fault in self.faults.items() if fault.active}
        if named is None:
            chosen = active
            if not chosen:
                raise UserError("no fault is active that was injected by hand")
        elif named in active:
            chosen = {str(named): active[str(named)]}
        elif named in self.faults:
            return {"reverted": [], "text": f"{named} is reverted already"}
        else:
            remedy = f"active: {', '.join(active) or 'none'}"
            if any(named == fault_id for fault_id, _ in self._of_timeline()):
                remedy = "it belongs to the experiment, which reverts it"
            raise UserError(f'there is no fault "{named}" that was injected by hand\n    {remedy}')
        await self._end(chosen, end_reason(request.get("why")), str(request.get("who") or ""))
        self.note("revert", ", ".join(chosen))
        return {"reverted": list(chosen), "text": f"reverted and verified: {', '.join(chosen)}"}

    async def _end(self, chosen: Mapping[str, HandFault], why: EndReason, who: str = "") -> None:
        """Revert faults, and wait until each is verified. Raises TargetFailed if one could not be.

        One whose revert failed before is tried again.
        """
        for fault_id, fault in chosen.items():
            fault.end(why, who)
            if fault.task.done():
                fault.task = asyncio.create_task(self._until_reverted(fault_id, fault.play.revert_again))
        await asyncio.gather(*(asyncio.shield(fault.task) for fault in chosen.values()))
        failed = [fault.play.played.problem or fault.problem for fault in chosen.values() if fault.active]
        if failed:
            raise TargetFailed("\n".join(failed))

    # -- processes --------------------------------------------------------------------------------------------------
    def _restarts(self) -> Restarts:
        known = [*self.world.replicas, *([GATEWAY] if self.facts().get("gateway") else [])]
        return Restarts(known, self.world, self.faults, self._of_timeline(), self._end, self.restart, self.note)

    async def _lend(self, request: Mapping[str, Any], say: Say, gone: asyncio.Event) -> Mapping[str, Any]:
        """Lend the replicas to a run, until it closes its connection."""
        borrower = str(request.get("to") or "a run")
        while (returning := self._returning) is not None:
            await returning.wait()  # the next run of a series: the replicas of the one before are still starting
        async with self._one:
            if self.lend is None:
                raise UserError("these replicas have a gateway of their own: they cannot be lent")
            if self.lent_to:
                raise UserError(f"the replicas are lent to {self.lent_to} already")
            if any(fault.active for fault in self.faults.values()):
                raise UserError("a fault is active on these replicas\n    brownout revert")
            self.lent_to = borrower
            try:
                give_back = await self.lend()
            except BaseException:
                self.lent_to = ""
                raise
        self.note("lend", borrower)
        self.say(f"the replicas are lent to {borrower}")
        say(LENT)
        try:
            await gone.wait()
        finally:
            returned = self._returning = asyncio.Event()
            if gone.is_set():
                self.say(f"{borrower} has ended; the replicas start again")
            try:
                if await give_back():
                    self.note("returned", borrower)
                    self.say("the replicas are back")
            except BrownoutError as error:
                self.say(str(error))
            finally:
                self.lent_to, self._returning = "", None
                returned.set()
        return {}

    # -- load -------------------------------------------------------------------------------------------------------
    def _load_commands(self) -> LoadCommands:
        refused = ""
        if self.finished:
            refused = "this stack ends: no load can be started any more"
        elif self.aborted:
            refused = "everything was aborted: no load can be started\n    brownout release"
        return LoadCommands(self.load, refused, self.facts, self.faults, self.note)

    # -- everything ---------------------------------------------------------------------------------------------------
    async def abort(self, say: Say) -> Mapping[str, Any]:
        """Revert everything, stop the load, and refuse injections until `release`. Waits for no other command."""
        self.aborted = True
        self._abort_count += 1
        full: RecordFull | None = None
        try:
            self.note("abort", "")
        except RecordFull as error:  # everything is reverted all the same
            full = error
        say("everything is reverted, and the load stops")
        if self.end_run is not None:
            self.end_run(ABORTED_BY_HAND)
            return {"text": "the run ends: every fault is reverted"}
        done = asyncio.Event()
        self._aborts.add(done)
        try:
            active = await self._end_everything("abort")
        finally:
            self._aborts.discard(done)
            done.set()
        if full is not None:
            raise full
        reverted = f"reverted and verified: {', '.join(active)}" if active else "no fault was active"
        return {"text": f"{reverted}; no load; nothing can be injected until brownout release"}

    async def finish(self) -> None:
        """The use of the stack is over: revert everything, stop the load, and refuse both from now on.

        Waits for no other command. Raises TargetFailed where a fault could not be reverted.
        """
        self.finished = True
        await self._end_everything("end")

    async def _end_everything(self, why: EndReason) -> list[str]:
        """Revert every fault and stop the load at once. Returns the ids of the faults. Raises TargetFailed."""
        active = {fault_id: fault for fault_id, fault in self.faults.items() if fault.active}
        stopping = self.load.stop() if self.load is not None else asyncio.sleep(0)
        _, ended = await asyncio.gather(stopping, self._end(active, why), return_exceptions=True)
        if isinstance(ended, BaseException):
            raise ended
        return list(active)

    async def _release(self, aborts: int) -> Mapping[str, Any]:
        """`aborts`: how many there were when the release was asked for; it does not end a later one."""
        while self._aborts:  # it stops the load, and must not stop the next one
            await next(iter(self._aborts)).wait()
        if not self.aborted:
            return {"text": "nothing was aborted"}
        if self._abort_count != aborts:
            raise UserError("everything was aborted again meanwhile: nothing is released\n    brownout release")
        self.aborted = False
        self.note("release", "")
        return {"text": "faults can be injected again"}

    async def close(self) -> None:
        """The stack ends: release every fault, and wait until each is reverted."""
        for fault in self.faults.values():
            fault.end("end")
            fault.play.release()
        await asyncio.gather(*(fault.task for fault in self.faults.values()), return_exceptions=True)

    # -- what is known ------------------------------------------------------------------------------------------------
    def status(self) -> Mapping[str, Any]:
        """The stack, its processes, the load and the active faults."""
        now = asyncio.get_running_loop().time()
        return {
            **self.facts(),
            "load": self.load.facts() if self.load is not None else None,
            "operations": self.operations.facts() if self.operations is not None else [],
            "aborted": self.aborted,
            "lent_to": self.lent_to,
            "of_experiment": [
                {"id": fault_id, "kind": play.fault.kind, "targets": list(play.fault.targets)}
                for fault_id, play in self._of_timeline()
            ],
            "faults": [
                {
                    "id": fault_id,
                    "kind": fault.injection.occurrence.spec.kind,
                    "targets": list(fault.targets),
                    "since_s": round(now - fault.since_s, 1),
                    "ends_in_s": None if fault.ends_s is None else round(max(0.0, fault.ends_s - now), 1),
                    "confirmed": fault.play.played.confirmed,
                    "problem": fault.play.played.problem,
                }
                for fault_id, fault in self.faults.items()
                if fault.active
            ],
        }

    def note(self, action: str, text: str) -> None:
        """Record what was done."""
        self.events.write("action", action=action, text=text)
