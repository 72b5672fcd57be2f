"""`terminate`: SIGTERM with a notice, as when a cloud takes spot capacity back; started again, cold, at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.base import Fault, Stage
from chaos.faults.process.kill import KillFault
from chaos.faults.spec import WholeReplica
from reports.shared.documents import Duration

__all__ = ["Terminate", "TerminateFault"]


class Terminate(WholeReplica):
    """Replicas that are taken back on notice. They drain: `/health/ready` says so, what runs goes on until it ends, or
    the notice is over."""

    kind: ClassVar[str] = "terminate"
    stops_process: ClassVar[bool] = True

    notice: Duration = Field(default=30.0, le=600, description="between SIGTERM and SIGKILL at most, as 5s")
    cold_start: Duration = Field(default=10.0, description="how long its replacement loads the model, at the end")

    @property
    def cold_start_s(self) -> float:
        return self.cold_start

    def params(self) -> dict[str, Any]:
        return {"notice_s": self.notice, "cold_start_s": self.cold_start}

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return TerminateFault(fault_id, self.kind, targets, self.cold_start, self.notice)


class TerminateFault(KillFault):
    """As a kill, with a notice: injected when the process is gone. `notice_s`: SIGKILL comes after it."""

    def __init__(self, fault_id: str, kind: str, targets: Sequence[str], cold_start_s: float, notice_s: float) -> None:
        super().__init__(fault_id, kind, targets, cold_start_s)
        self.notice_s = notice_s
        self._told: set[str] = set()

    async def strike(self, stage: Stage, name: str) -> None:
        self._told.add(name)
        await stage.terminate(name, grace_s=self.notice_s)

    async def heal(self, stage: Stage, name: str) -> None:
        # One that was told to end and has not yet (the run was cut short) would end after its replacement's start.
        if name in self._told and await stage.state(name) != "gone":
            await stage.kill(name)
        await super().heal(stage, name)
        self._told.discard(name)
