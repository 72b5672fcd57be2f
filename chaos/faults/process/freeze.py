"""`freeze`: SIGSTOP. The process is alive and silent: connections are accepted by the kernel, and nobody answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from chaos.faults.base import Fault, Stage, Undo
from chaos.faults.spec import WholeReplica

__all__ = ["Freeze", "FreezeFault"]


class Freeze(WholeReplica):
    """Replicas that are frozen."""

    kind: ClassVar[str] = "freeze"
    stops_process: ClassVar[bool] = True

    def params(self) -> dict[str, Any]:
        return {}

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return FreezeFault(fault_id, self.kind, targets)


class FreezeFault(Fault):
    """Frozen when the kernel says so; well again when it runs and says that it is ready."""

    def undo(self, stage: Stage) -> list[Undo]:
        return [{"do": "signal", "process": name, "signal": "SIGCONT"} for name in self.targets]

    async def strike(self, stage: Stage, name: str) -> None:
        await stage.freeze(name)

    async def struck(self, stage: Stage, name: str) -> bool:
        return await stage.state(name) == "stopped"

    async def heal(self, stage: Stage, name: str) -> None:
        # One that died in the meantime is no longer frozen, and whoever has its number now is none of ours.
        if await stage.state(name) != "gone":
            await stage.thaw(name)

    async def healed(self, stage: Stage, name: str) -> bool:
        state = await stage.state(name)
        return state == "gone" or (state == "running" and await stage.ready(name))
