"""The life of a fault.

    inject -> confirm -> (hits) -> revert -> verify

    inject    record how to undo the fault on disk, then apply it to every target; no record, no injection
    confirm   wait until the fault is observed at every target
    revert    remove it; may be called at any time and any number of times, also after an injection that failed half way
    verify    wait until every target is as before, then record on disk that the fault is undone

A fault acts on a `chaos.faults.world.World` and on nothing else. It implements one act for one target (`inject_one`,
`confirm_one`, `revert_one`, `verify_one`); the acts for all targets are the same for every fault.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar, Final

from chaos.faults.world import FaultError, Undo, Unreachable, Where, World, refusal

__all__ = ["Fault", "on_each"]

CONFIRM_WITHIN_S: Final = 5.0
"""How long an injected fault may take until it is observed. A signal takes microseconds; a busy machine is slower."""

LAST_REVERT_WITHIN_S: Final = 1.0


class Fault(ABC):
    """One fault of a run, on targets that were selected before. An object is used for one run only."""

    where: ClassVar[Where]
    """The place where it acts: what it needs of the target."""

    ends_with_targets: ClassVar[bool] = True
    """Whether it is gone once the processes of the run have ended, as what acts inside them is."""

    def __init__(self, fault_id: str, kind: str, targets: Sequence[str]) -> None:
        self.id = fault_id
        self.kind = kind
        self.targets = list(targets)
        self._armed = False
        self._hits_left: list[int] = []
        """Requests that it hit at targets that it has left."""

    @abstractmethod
    def undo(self, world: World) -> list[Undo]:
        """The records that undo it without this process."""

    @abstractmethod
    async def inject_one(self, world: World, name: str) -> None:
        """Apply it to one target."""

    @abstractmethod
    async def confirm_one(self, world: World, name: str) -> bool:
        """Whether it is observed at one target."""

    @abstractmethod
    async def revert_one(self, world: World, name: str) -> int | None:
        """Remove it from one target; returns the requests that it hit there, None where only the analysis can count."""

    @abstractmethod
    async def verify_one(self, world: World, name: str) -> bool:
        """Whether one target is as it was before."""

    @property
    def verify_within_s(self) -> float:
        """How long `verify_one` may stay false after the revert, seconds."""
        return 30.0

    @property
    def confirm_within_s(self) -> float:
        """How long `confirm_one` may stay false after the injection, seconds."""
        return CONFIRM_WITHIN_S

    @property
    def last_revert_within_s(self) -> float:
        """How long the revert of a run that is over may take, seconds. What it does not reach ends with its process."""
        return LAST_REVERT_WITHIN_S

    @property
    def confirmed_by(self) -> str:
        """What confirmed it, where that is weaker than an observation; else ""."""
        return ""

    async def hold(self, world: World) -> None:
        """Background work while the fault is active; cancelled before the revert."""
        return

    async def inject(self, world: World) -> None:
        """Record the undo on disk, then apply the fault to every target. Raises `FaultError` or `Unreachable`."""
        refused = refusal(self.where, world.offers)
        if refused is not None:
            raise FaultError(f"{self.kind} {refused}")
        self._armed = True  # before the call: one that fails may have written the record all the same
        await world.arm(self.id, self.undo(world))
        await on_each(self.targets, lambda name: self.inject_one(world, name))

    async def confirm(self, world: World) -> None:
        """Wait until it is observed at every target. Raises `FaultError`."""
        await self._observed(
            world, self.confirm_one, self.confirm_within_s, "was injected, but its effect is not observed"
        )

    async def revert(self, world: World) -> int | None:
        """Remove it from every target; idempotent. Returns the requests hit, None where only the analysis can count."""
        hits = await on_each(self.targets, lambda name: self.revert_one(world, name))
        known = [count for count in (*hits, *self._hits_left) if count is not None]
        return sum(known) if known else None

    async def leave(self, world: World, name: str) -> None:
        """Remove it from one of its targets, and wait until that is as before; it stays on the others.

        Its undo on disk still names the target: to apply that once more is harmless. Raises `FaultError` or
        `Unreachable`; the target is then one of its targets still.
        """
        place = self.targets.index(name)
        self.targets.remove(name)  # first: background work must not apply it there again
        try:
            hits = await self.revert_one(world, name)

            async def as_before() -> bool:
                try:
                    return await self.verify_one(world, name)
                except Unreachable:
                    return False

            trouble = f"{self.kind} of {name} was reverted, but its effect remains"
            await world.until(as_before, self.verify_within_s, trouble)
        except BaseException:
            self.targets.insert(place, name)
            raise
        if hits is not None:
            self._hits_left.append(hits)

    async def verify(self, world: World) -> None:
        """Wait until every target is as before, then record that the fault is undone. Raises `FaultError`."""
        await self._observed(world, self.verify_one, self.verify_within_s, "was reverted, but its effect remains")
        if self._armed:
            await world.disarm(self.id)
            self._armed = False

    async def _observed(
        self, world: World, check: Callable[[World, str], Awaitable[bool]], within_s: float, trouble: str
    ) -> None:
        async def everywhere() -> bool:
            try:
                return all(await on_each(self.targets, lambda name: check(world, name)))
            except Unreachable:
                return False

        await world.until(everywhere, within_s, f"{self.kind} of {', '.join(self.targets)} {trouble}")


async def on_each(names: Sequence[str], action: Callable[[str], Awaitable[Any]]) -> list[Any]:
    """Run an action for each name concurrently; a failure does not stop the others. Raises the first error at the
    end.
    """
    results = await asyncio.gather(*(action(name) for name in names), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return list(results)
