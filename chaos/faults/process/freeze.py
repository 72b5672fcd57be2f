"""`freeze`: SIGSTOP. The process exists but does not run: the kernel accepts connections, and no answer comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from chaos.faults.base import Fault
from chaos.faults.spec import OnProcess
from chaos.faults.world import Undo, Where, World

__all__ = ["Freeze", "FreezeFault"]


class Freeze(OnProcess):
    """Replicas are frozen (SIGSTOP): connections are accepted, and no answer comes."""

    kind: ClassVar[str] = "freeze"
    silences_calls: ClassVar[bool] = True

    def params(self) -> dict[str, Any]:
        return {}

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return FreezeFault(fault_id, self.kind, targets)


class FreezeFault(Fault):
    """Confirmed when the kernel reports the process as stopped; verified when it runs and reports ready."""

    where: ClassVar[Where] = "process"

    def undo(self, world: World) -> list[Undo]:
        return [{"do": "signal", "process": name, "signal": "SIGCONT"} for name in self.targets]

    async def inject_one(self, world: World, name: str) -> None:
        await world.freeze(name)

    async def confirm_one(self, world: World, name: str) -> bool:
        return await world.state(name) == "stopped"

    async def revert_one(self, world: World, name: str) -> None:
        # A process that died meanwhile is no longer frozen, and its pid may belong to another process now.
        if await world.state(name) != "gone":
            await world.thaw(name)

    async def verify_one(self, world: World, name: str) -> bool:
        state = await world.state(name)
        return state == "gone" or (state == "running" and await world.ready(name))
