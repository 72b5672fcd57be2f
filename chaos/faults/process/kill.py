"""`kill`: SIGKILL, nothing is said to anyone; started again at the end, with a cold start if one is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.base import Fault, Stage, Undo
from chaos.faults.spec import WholeReplica
from reports.shared.documents import Duration

__all__ = ["Kill", "KillFault"]

START_WITHIN_S = 30.0
"""A replica's process needs about a second, more on a machine that is busy."""


class Kill(WholeReplica):
    """Replicas that are killed."""

    kind: ClassVar[str] = "kill"
    stops_process: ClassVar[bool] = True

    cold_start: Duration = Field(default=0.0, description="how long a replica loads its model once it is started again")

    @property
    def cold_start_s(self) -> float:
        return self.cold_start

    def params(self) -> dict[str, Any]:
        return {"cold_start_s": self.cold_start}

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return KillFault(fault_id, self.kind, targets, self.cold_start)


class KillFault(Fault):
    """Dead when the process is reaped and its port refuses; back when it says that it is ready."""

    def __init__(self, fault_id: str, kind: str, targets: Sequence[str], cold_start_s: float) -> None:
        super().__init__(fault_id, kind, targets)
        self.cold_start_s = cold_start_s

    def undo(self, stage: Stage) -> list[Undo]:
        return [{"do": "start", "process": name} for name in self.targets]

    async def strike(self, stage: Stage, name: str) -> None:
        await stage.kill(name)

    async def struck(self, stage: Stage, name: str) -> bool:
        return await stage.state(name) == "gone" and not await stage.accepts(name)

    async def heal(self, stage: Stage, name: str) -> None:
        await stage.start(name, cold_start_s=self.cold_start_s)

    async def healed(self, stage: Stage, name: str) -> bool:
        return await stage.ready(name)

    @property
    def healed_within_s(self) -> float:
        return self.cold_start_s + START_WITHIN_S
