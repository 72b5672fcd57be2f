"""`restart`: SIGTERM with a notice, then a new process that loads its model (a cold start) before it is ready."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.base import Fault, Stage
from chaos.faults.kill import KillFault
from chaos.faults.spec import WholeReplica
from reports.documents import Duration

__all__ = ["Restart", "RestartFault"]


class Restart(WholeReplica):
    """Replicas that are restarted. `for` of the entry is how long they stay down in between; 0 s if absent."""

    kind: ClassVar[str] = "restart"
    needs_duration: ClassVar[bool] = False
    stops_process: ClassVar[bool] = True

    grace: Duration = Field(default=1.0, description="notice: between SIGTERM and SIGKILL", le=600)
    cold_start: Duration = Field(default=10.0, description="how long the new process loads its model")

    @property
    def cold_start_s(self) -> float:
        return self.cold_start

    def params(self) -> dict[str, Any]:
        return {"grace_s": self.grace, "cold_start_s": self.cold_start}

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return RestartFault(fault_id, self.kind, targets, self.cold_start, self.grace)


class RestartFault(KillFault):
    """As a kill, with notice."""

    def __init__(self, fault_id: str, kind: str, targets: Sequence[str], cold_start_s: float, grace_s: float) -> None:
        super().__init__(fault_id, kind, targets, cold_start_s)
        self.grace_s = grace_s

    async def strike(self, stage: Stage, name: str) -> None:
        await stage.terminate(name, grace_s=self.grace_s)
