"""What a fault is, and what it may do to the world.

    inject -> confirm -> (hits) -> revert -> verify

`inject` writes down how to undo the fault before it does anything: no undo, no injection. `revert` may be called at any
time and any number of times, also after an injection that failed half way. `verify` looks whether the revert worked and
only then takes the fault off the write-ahead file.

A fault knows the world through `Stage` alone; the runner implements it for the embedded stack, the tests in memory.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from loadprofiles.demand import Order
from reports.shared.errors import BrownoutError

__all__ = ["Fault", "FaultError", "Ordered", "ReplicaView", "Stage", "Undo", "Unreachable", "on_each"]

Undo: TypeAlias = Mapping[str, object]
"""One record of the write-ahead file; what there is, is in `chaos.supervision.undo`. Doing it twice does no harm."""

CONFIRM_WITHIN_S = 5.0
"""How long an injected fault may take to show. A signal takes microseconds, a machine under load does not."""


class FaultError(BrownoutError):
    """A fault that could not be injected, was never seen to work, or could not be taken back."""


class Unreachable(BrownoutError):
    """A replica that does not answer on its control port: gone, frozen, or too slow."""


class ReplicaView(NamedTuple):
    """One replica as a fault sees it."""

    name: str
    pool: str
    cloud: str


class Ordered(NamedTuple):
    """An order as the load generators see it: on at any, on at all, and sessions added and calls changed so far."""

    anywhere: bool
    everywhere: bool
    hits: int


class Stage(Protocol):
    """What a fault may do. All times in seconds; any call may raise `FaultError`."""

    replicas: Mapping[str, ReplicaView]

    async def kill(self, name: str) -> None:
        """SIGKILL; answers when the process is reaped."""

    async def freeze(self, name: str) -> None:
        """SIGSTOP."""

    async def thaw(self, name: str) -> None:
        """SIGCONT."""

    async def start(self, name: str, *, cold_start_s: float = 0.0) -> None:
        """Start a replica that is gone, on its old ports; one that lives is left alone."""

    async def terminate(self, name: str, *, grace_s: float) -> None:
        """SIGTERM, and SIGKILL once `grace_s` is over; answers when the process is reaped."""

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""

    async def state(self, name: str) -> str:
        """`running`, `stopped` or `gone`, by the kernel's word."""

    async def accepts(self, name: str) -> bool:
        """Whether a TCP connect to the replica's port succeeds."""

    async def ready(self, name: str) -> bool:
        """Whether `GET /health/ready` answers 200."""

    async def behave(self, name: str, fault_id: str, body: dict[str, Any]) -> None:
        """Put a behaviour on a replica (`docs/wire.md`) and keep its lease. Raises `Unreachable`."""

    async def unbehave(self, name: str, fault_id: str) -> int:
        """Take a behaviour off, and stop renewing its lease; answers its hits. Raises `Unreachable`."""

    async def behaviours(self, name: str) -> dict[str, Any]:
        """The behaviours a replica has now, by fault id. Raises `Unreachable`."""

    async def order(self, order: Order) -> None:
        """Order more demand of the load generators, until `unorder`."""

    async def unorder(self, fault_id: str) -> None:
        """Take an order off; they hear of it within 250 ms."""

    async def ordered(self, fault_id: str) -> Ordered:
        """What the load generators say of an order. Raises `Unreachable` where none has said anything of late."""

    def undo_behaviour(self, name: str, fault_id: str) -> str:
        """The URL whose DELETE takes the behaviour off, for the write-ahead file."""

    async def arm(self, fault_id: str, undo: Sequence[Undo]) -> None:
        """Write down how to undo a fault; on disk when it answers."""

    async def disarm(self, fault_id: str) -> None:
        """Write down that it is undone."""

    async def until(self, condition: Callable[[], Awaitable[bool]], timeout_s: float, what: str) -> None:
        """Wait for a condition. Raises `FaultError` naming `what` when it has not come about in `timeout_s`."""


class Fault(ABC):
    """One fault of a run, on targets chosen beforehand. Not for two runs."""

    def __init__(self, fault_id: str, kind: str, targets: Sequence[str]) -> None:
        self.id = fault_id
        self.kind = kind
        self.targets = list(targets)
        self._armed = False

    @abstractmethod
    def undo(self, stage: Stage) -> list[Undo]:
        """How to undo it without this program."""

    @abstractmethod
    async def strike(self, stage: Stage, name: str) -> None:
        """Do it to one target."""

    @abstractmethod
    async def struck(self, stage: Stage, name: str) -> bool:
        """Whether it can be seen at one target."""

    @abstractmethod
    async def heal(self, stage: Stage, name: str) -> int | None:
        """Take it back from one target; answers the requests it hit there, None where only the analysis can tell."""

    @abstractmethod
    async def healed(self, stage: Stage, name: str) -> bool:
        """Whether the target is as it was."""

    @property
    def healed_within_s(self) -> float:
        """How long `healed` may take to come true."""
        return 30.0

    async def hold(self, stage: Stage) -> None:
        """What it goes on doing while it is on, for a fault that does; cancelled before the revert."""
        return

    async def inject(self, stage: Stage) -> None:
        """Write down the undo, then do it to every target. Raises `FaultError` or `Unreachable`."""
        self._armed = True  # before the call: one that fails may have written all the same
        await stage.arm(self.id, self.undo(stage))
        await on_each(self.targets, lambda name: self.strike(stage, name))

    async def confirm(self, stage: Stage) -> None:
        """Wait until it is seen at every target. Raises `FaultError`."""
        await self._seen(stage, self.struck, CONFIRM_WITHIN_S, "cannot be seen to work")

    async def revert(self, stage: Stage) -> int | None:
        """Take it back from every target; idempotent. Answers the requests hit, None where only analysis can tell."""
        hits = await on_each(self.targets, lambda name: self.heal(stage, name))
        known = [count for count in hits if count is not None]
        return sum(known) if known else None

    async def verify(self, stage: Stage) -> None:
        """Wait until every target is as it was, then take the fault off the write-ahead file. Raises `FaultError`."""
        await self._seen(stage, self.healed, self.healed_within_s, "is reverted, but still there")
        if self._armed:
            await stage.disarm(self.id)
            self._armed = False

    async def _seen(
        self, stage: Stage, sign: Callable[[Stage, str], Awaitable[bool]], within_s: float, trouble: str
    ) -> None:
        async def everywhere() -> bool:
            try:
                return all(await on_each(self.targets, lambda name: sign(stage, name)))
            except Unreachable:
                return False

        await stage.until(everywhere, within_s, f"{self.kind} of {', '.join(self.targets)} {trouble}")


async def on_each(names: Sequence[str], action: Callable[[str], Awaitable[Any]]) -> list[Any]:
    """Do something to all at once; one that fails does not stop the others. Raises the first error, after all."""
    results = await asyncio.gather(*(action(name) for name in names), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return list(results)
