"""Restarts of a process: by the command `restart`, or as a repair, which also ends the faults on that process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chaos.by_hand.control import Say
from chaos.by_hand.hand_fault import EndReason, HandFault, HandWorld
from chaos.by_hand.operate_commands import arguments_of
from chaos.faults.world import FaultError, Unreachable
from chaos.runner.deployment import GATEWAY
from chaos.runner.fault_play import FaultPlay
from reports.shared.errors import TargetFailed, UserError

__all__ = ["RESTARTS", "Restarts"]

RESTARTS: Final = ("restart", "restart_gateway")
"""The operations that are a restart: nothing of them stays in force."""


@dataclass(slots=True)
class Restarts:
    """Restarts of the processes of one stack. `known`: their names. `of_timeline`: active faults of an experiment.

    `end(faults, why)` reverts and verifies faults; `restart(name, say)` starts a process again; `note(action, text)`
    records what was done.
    """

    known: Sequence[str]
    world: HandWorld
    faults: Mapping[str, HandFault]
    of_timeline: Sequence[tuple[str, FaultPlay]]
    end: Callable[[Mapping[str, HandFault], EndReason], Awaitable[None]]
    restart: Callable[[str, Say], Awaitable[None]]
    note: Callable[[str, str], None]

    async def command(self, request: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
        """The command `restart`: refused while a fault is active there, unless it says `even_if_faulty`."""
        return await self(str(request.get("process")), say, repair=bool(request.get("even_if_faulty")))

    async def operation(self, request: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
        """The operations `restart {replica}` and `restart_gateway`: repairs. `dry_run` says what would be done."""
        arguments = arguments_of(request)
        if request.get("operation") == "restart_gateway":
            if arguments:
                raise UserError("restart_gateway needs no argument")
            name = GATEWAY
        else:
            name = str(arguments.get("replica"))
            if set(arguments) != {"replica"} or name == GATEWAY:
                raise UserError("restart needs one argument: replica")
        if request.get("dry_run"):
            self._check(name)
            return {"n": None, "text": f"{name} ends, and starts again"}
        return {"n": None, **await self(name, say, repair=True)}

    async def __call__(self, name: str, say: Say, *, repair: bool) -> Mapping[str, Any]:
        """Start a process again. Raises UserError if it may not be, TargetFailed where that fails.

        With `repair`, faults that were injected by hand end on it first: `ended` has the ids of those without another
        target, which are reverted and verified, `left` of those that stay on their other targets.
        """
        self._check(name)
        faulty = {fault_id: one for fault_id, one in self.faults.items() if one.active and name in one.targets}
        if faulty and not repair:
            fault_id, fault = next(iter(faulty.items()))
            kind = fault.injection.occurrence.spec.kind
            raise UserError(f"{name}: {kind} ({fault_id}) is active there\n    brownout revert {fault_id}")
        was_gone = self.world.is_gone(name)
        left = [fault_id for fault_id, fault in faulty.items() if len(fault.targets) > 1]
        ended = {fault_id: fault for fault_id, fault in faulty.items() if fault_id not in left}
        for fault_id in left:
            try:
                await faulty[fault_id].play.leave(name)
            except (FaultError, Unreachable) as error:
                raise TargetFailed(f"{name}: {fault_id} could not be ended there: {error}") from error
        await self.end(ended, "repair")
        # The revert of a kill has started the process already; a second start would be a second outage.
        if not (was_gone and faulty and not self.world.is_gone(name)):
            await self.restart(name, say)
        self.note("restart", name)
        return {"text": f"{name} is ready", "ended": list(ended), "left": left}

    def _check(self, name: str) -> None:
        """Raises UserError for an unknown process, and for one with a fault of an experiment that is running."""
        if name not in self.known:
            raise UserError(f'there is no process "{name}"\n    these are: {", ".join(self.known)}')
        for fault_id, play in self.of_timeline:
            if name in play.fault.targets:
                kind = play.fault.kind
                raise UserError(f"{name}: {kind} ({fault_id}) of the experiment is active there\n    wait for its end")
