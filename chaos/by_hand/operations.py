"""What an on-call engineer can do to a stack that is up, besides restarts: drain, shed, switch, add a pool, undo.

The operations in force are kept here as one list. After each change, the gateway gets the whole state that follows from
it, and its next process starts with that state.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from chaos.by_hand.control import Say
from reports.shared.documents import did_you_mean, duration_text
from reports.shared.errors import BrownoutError, TargetFailed, UserError
from reports.shared.tenancy import TIERS
from targets.gateway.config import Operations
from targets.gateway.operations.switches import SWITCHES, switched
from targets.stack import Pool, Stack

__all__ = ["NOT_OURS", "HandOperations", "InForce", "ReserveProcesses"]

NOT_OURS: Final = "the gateway in front of these replicas is not brownout's: only a restart is possible here"
NO_RESERVE: Final = "this stack has no reserve pool"
_ARGUMENT: Final = {"drain": "pool", "shed": "tier", "switch": "policy", "add_pool": "pool"}


class ReserveProcesses(Protocol):
    """Starts and ends the processes of a reserve pool."""

    async def start(self, pool: Pool, say: Say) -> None:
        """Returns when its replicas are ready. Raises TargetFailed."""

    async def stop(self, pool: Pool) -> None:
        """Returns when its replicas have ended."""


@dataclass(slots=True)
class InForce:
    """An operation in force. `text`: its effect. `since_s`: on the clock. `starting`: a pool that is not ready yet."""

    n: int
    operation: str
    argument: str
    text: str
    since_s: float
    starting: bool = False


def _tiers(stack: Stack) -> list[str]:
    admission = stack.gateway.admission
    return list(admission.tiers if admission is not None else TIERS)


@dataclass(slots=True)
class HandOperations:
    """The operations on one stack. `send` gives the gateway its state; `gateway_gone()`: whether it is down.

    `reserve` is None where no pool can be added.
    """

    stack: Stack
    send: Callable[[Operations], Awaitable[None]]
    gateway_gone: Callable[[], bool]
    reserve: ReserveProcesses | None = None
    clock: Callable[[], float] = time.monotonic
    in_force: dict[int, InForce] = field(default_factory=dict)
    _number: int = 0
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    # -- what is in force -------------------------------------------------------------------------------------------
    def stack_now(self) -> Stack:
        """The stack with the pools that were added."""
        return self.stack.with_added(self.state().added)

    def state(self) -> Operations:
        """What the gateway must have."""
        return _state(self.in_force.values())

    def facts(self) -> list[dict[str, Any]]:
        """The operations in force, for `status`. `since_s`: how long ago it was done, seconds."""
        now = self.clock()
        return [
            {
                "n": one.n,
                "operation": one.operation,
                "arguments": {_ARGUMENT[one.operation]: one.argument},
                "text": one.text,
                "since_s": round(now - one.since_s, 1),
                "starting": one.starting,
            }
            for one in self.in_force.values()
        ]

    # -- before it is done ------------------------------------------------------------------------------------------
    def preview(self, operation: str, arguments: Mapping[str, Any]) -> str:
        """What an operation would do, as text. Raises UserError, as `perform` would, if it is not possible."""
        argument = self._argument(operation, arguments)
        match operation:
            case "drain":
                return self._check_drain(argument)
            case "shed":
                return self._check_shed(argument)
            case "switch":
                return self._check_switch(argument)
        return self._check_add(argument)

    def _argument(self, operation: str, arguments: Mapping[str, Any]) -> str:
        name = _ARGUMENT.get(operation)
        if name is None:
            known = ", ".join(["restart", "restart_gateway", *_ARGUMENT])
            raise UserError(f'there is no operation "{operation}"\n    these are: {known}')
        value = arguments.get(name)
        if not isinstance(value, str) or set(arguments) != {name}:
            raise UserError(f"{operation} needs one argument: {name}")
        return value

    def _check_drain(self, pool: str) -> str:
        stack = self.stack_now()
        if pool in (one.name for one in stack.reserve):
            raise UserError(f"pool {pool} is in reserve: it gets no calls\n    brownout operate add-pool {pool}")
        _known("pool", pool, [one.name for one in stack.pools])
        self._not_yet("drain", pool, f"pool {pool} is drained already")
        drained = {*self.state().drained, pool}
        out = [replica for replica in stack.replicas if replica.pool in drained]
        here = sum(replica.pool == pool for replica in out)
        if len(out) == len(stack.replicas):
            return f"pool {pool} is drained: no replica is left, and every new call is refused"
        return f"pool {pool} is drained: {here} of {len(stack.replicas)} replicas get no new calls"

    def _check_shed(self, tier: str) -> str:
        _known("tier", tier, _tiers(self.stack))
        self._not_yet("shed", tier, f"tier {tier} is shed already")
        return f"tier {tier} is shed: its calls are refused (429)"

    def _check_switch(self, policy: str) -> str:
        _known("switch", policy, list(SWITCHES))
        others = [one for one in self.in_force.values() if one.operation == "switch" and one.argument != policy]
        self._not_yet("switch", policy, f"{policy} is in force already")
        kept = [one.argument for one in others if SWITCHES[one.argument].policy != SWITCHES[policy].policy]
        before = switched(self.stack.gateway, self.state().policies)
        if switched(self.stack.gateway, [*kept, policy]) == before:
            raise UserError(f"{policy}: the gateway works so already")
        return f"{policy}: {SWITCHES[policy].text}"

    def _check_add(self, name: str) -> str:
        if self.reserve is None or not self.stack.reserve:
            raise UserError(NO_RESERVE if not self.stack.reserve else "no pool can be added here: it needs brownout up")
        _known("reserve pool", name, [one.name for one in self.stack.reserve])
        self._not_yet("add_pool", name, f"pool {name} is added already")
        pool = self._pool(name)
        total = len(self.stack_now().replicas) + pool.replicas
        cold = duration_text(pool.reserve_s or 0.0)
        return f"pool {name} is added: {total} replicas instead of {total - pool.replicas}, ready after {cold}"

    def _not_yet(self, operation: str, argument: str, what: str) -> None:
        for one in self.in_force.values():
            if (one.operation, one.argument) == (operation, argument):
                raise UserError(f"{what} (operation {one.n})\n    brownout operate undo {one.n}")

    def _pool(self, name: str) -> Pool:
        return next(pool for pool in self.stack.reserve if pool.name == name)

    # -- doing it -----------------------------------------------------------------------------------------------------
    async def perform(self, operation: str, arguments: Mapping[str, Any], say: Say) -> tuple[int, str]:
        """Do it. Returns its number, and what it did as text. A pool is added when its replicas are ready.

        Raises UserError if it is not possible, TargetFailed where the gateway or a process fails at it.
        """
        async with self._one:
            self._check_gateway()
            text = self.preview(operation, arguments)
            argument = self._argument(operation, arguments)
            self._number += 1
            starting = operation == "add_pool"
            shown = f"pool {argument} is starting" if starting else text.partition(": ")[0]
            if operation == "switch":
                shown = text
            one = InForce(self._number, operation, argument, shown, self.clock(), starting)
            after = {n: other for n, other in self.in_force.items() if not _replaces(one, other)} | {one.n: one}
            if starting:
                self.in_force = after
            else:
                await self._change(after)
        if starting:
            await self._add(one, say)
        return one.n, text

    async def _add(self, one: InForce, say: Say) -> None:
        assert self.reserve is not None
        pool = self._pool(one.argument)
        try:
            await self.reserve.start(pool, say)
            async with self._one:
                if one.n in self.in_force:
                    one.starting, one.text = False, f"pool {pool.name} is added"
                    await self._change(self.in_force)
        except asyncio.CancelledError:
            self.in_force.pop(one.n, None)  # the stack ends, and these processes with it
            raise
        except Exception:
            if self.in_force.pop(one.n, None) is not None:
                await self.reserve.stop(pool)
                raise
        if one.n not in self.in_force:
            await self.reserve.stop(pool)
            raise UserError(f"pool {pool.name} was not added: it was undone meanwhile")

    async def undo(self, n: int, say: Say) -> str:
        """End an operation in force. Returns what it did as text. Raises UserError or TargetFailed."""
        async with self._one:
            one = self.in_force.get(n)
            if one is None:
                numbers = ", ".join(f"{other.n} ({other.text})" for other in self.in_force.values())
                raise UserError(f"no operation {n} is in force\n    in force: {numbers or 'none'}")
            if not one.starting:
                self._check_gateway()
            gone = {other for other, held in self.in_force.items() if other == n or _depends(held, one)}
            await self._change({other: held for other, held in self.in_force.items() if other not in gone})
            if one.operation == "add_pool":
                assert self.reserve is not None
                say(f"the replicas of {one.argument} end")
                await self.reserve.stop(self._pool(one.argument))
        return {
            "drain": f"pool {one.argument} gets calls again",
            "shed": f"tier {one.argument} is served again",
            "switch": f"{one.argument} is undone",
            "add_pool": f"pool {one.argument} is taken away",
        }[one.operation]

    async def _change(self, after: dict[int, InForce]) -> None:
        """Give the gateway the state of `after`; it is in force then. Raises TargetFailed."""
        before, wanted = self.state(), _state(after.values())
        if wanted != before or after is self.in_force:
            try:
                await self.send(wanted)
            except BrownoutError as error:
                raise TargetFailed(str(error)) from error
        self.in_force = after

    def _check_gateway(self) -> None:
        if self.gateway_gone():
            raise UserError("the gateway is down\n    brownout restart gateway")


def _state(operations: Any) -> Operations:
    chosen: dict[str, list[str]] = {name: [] for name in _ARGUMENT}
    for one in operations:
        if not one.starting:
            chosen[one.operation].append(one.argument)
    return Operations(tuple(chosen["drain"]), tuple(chosen["shed"]), tuple(chosen["switch"]), tuple(chosen["add_pool"]))


def _replaces(one: InForce, other: InForce) -> bool:
    """Whether `other` ends because of `one`: two switches of the same policy."""
    both = one.operation == other.operation == "switch"
    return both and SWITCHES[one.argument].policy == SWITCHES[other.argument].policy


def _depends(held: InForce, undone: InForce) -> bool:
    """Whether `held` has no meaning without `undone`: the drain of a pool that is taken away."""
    return undone.operation == "add_pool" and held.operation == "drain" and held.argument == undone.argument


def _known(what: str, name: str, names: Sequence[str]) -> None:
    if name not in names:
        raise UserError(f'there is no {what} "{name}"\n    {did_you_mean(name, names)}')
