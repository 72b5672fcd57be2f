"""`kill`: SIGKILL without notice; the process is started again at the end, with a cold start if one is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.base import Fault
from chaos.faults.spec import OnProcess
from chaos.faults.world import Undo, Where, World
from reports.shared.documents import Duration

__all__ = ["Kill", "KillFault"]

START_WITHIN_S = 30.0
"""A replica's process starts in about a second; it takes longer on a busy machine."""


class Kill(OnProcess):
    """Replicas are killed (SIGKILL) without notice, and started again at the end."""

    kind: ClassVar[str] = "kill"
    loses_spans: ClassVar[bool] = True
    scaled_times: ClassVar[tuple[str, ...]] = ("cold_start",)

    cold_start: Duration = Field(default=0.0, description="how long a replica loads its model when it is started again")

    @property
    def cold_start_s(self) -> float:
        return self.cold_start

    def params(self) -> dict[str, Any]:
        return {"cold_start_s": self.cold_start}

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return KillFault(fault_id, self.kind, targets, self.cold_start)


class KillFault(Fault):
    """Confirmed when the process is reaped and its port refuses; verified when the new process reports ready."""

    where: ClassVar[Where] = "process"

    def __init__(self, fault_id: str, kind: str, targets: Sequence[str], cold_start_s: float) -> None:
        super().__init__(fault_id, kind, targets)
        self.cold_start_s = cold_start_s

    def undo(self, world: World) -> list[Undo]:
        return [{"do": "start", "process": name} for name in self.targets]

    async def inject_one(self, world: World, name: str) -> None:
        await world.kill(name)

    async def confirm_one(self, world: World, name: str) -> bool:
        return await world.state(name) == "gone" and not await world.accepts(name)

    async def revert_one(self, world: World, name: str) -> None:
        await world.start(name, cold_start_s=self.cold_start_s)

    async def verify_one(self, world: World, name: str) -> bool:
        return await world.ready(name)

    @property
    def verify_within_s(self) -> float:
        return self.cold_start_s + START_WITHIN_S
