"""`terminate`: SIGTERM with notice, as when a cloud reclaims spot capacity; a cold start at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.base import Fault
from chaos.faults.process.kill import KillFault
from chaos.faults.spec import OnProcess
from chaos.faults.world import World
from reports.shared.documents import Duration

__all__ = ["Terminate", "TerminateFault"]


class Terminate(OnProcess):
    """Replicas are terminated with notice (SIGTERM, then SIGKILL), as when a cloud reclaims spot capacity. They drain:
    `/health/ready` fails, and running requests go on until they end or the notice is over."""

    kind: ClassVar[str] = "terminate"
    reclaims_hardware: ClassVar[bool] = True
    scaled_times: ClassVar[tuple[str, ...]] = ("notice", "cold_start")

    notice: Duration = Field(default=30.0, le=600, description="time between SIGTERM and SIGKILL at most, as 5s")
    cold_start: Duration = Field(default=10.0, description="how long the replacement loads its model, at the end")

    @property
    def notice_s(self) -> float:
        return self.notice

    @property
    def cold_start_s(self) -> float:
        return self.cold_start

    def params(self) -> dict[str, Any]:
        return {"notice_s": self.notice, "cold_start_s": self.cold_start}

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return TerminateFault(fault_id, self.kind, targets, self.cold_start, self.notice)


class TerminateFault(KillFault):
    """A kill with notice: injected when the process is gone. `notice_s`: time from SIGTERM to SIGKILL, seconds."""

    def __init__(self, fault_id: str, kind: str, targets: Sequence[str], cold_start_s: float, notice_s: float) -> None:
        super().__init__(fault_id, kind, targets, cold_start_s)
        self.notice_s = notice_s

    async def inject_one(self, world: World, name: str) -> None:
        await world.terminate(name, grace_s=self.notice_s)
