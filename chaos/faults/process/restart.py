"""`restart`: SIGTERM with notice, in which the replica drains; then a new process with a cold start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.base import Fault
from chaos.faults.process.terminate import TerminateFault
from chaos.faults.spec import OnProcess
from reports.shared.documents import Duration

__all__ = ["Restart"]


class Restart(OnProcess):
    """Replicas are restarted: they drain, end, and start with a cold start. `for` of the entry is the time from SIGTERM
    to the new process, at least; without it, the new process starts as soon as the old one has ended.
    """

    kind: ClassVar[str] = "restart"
    needs_duration: ClassVar[bool] = False
    notice_key: ClassVar[str] = "grace"
    scaled_times: ClassVar[tuple[str, ...]] = ("grace", "cold_start")

    grace: Duration = Field(default=1.0, le=600, description="time to drain: between SIGTERM and SIGKILL at most")
    cold_start: Duration = Field(default=10.0, description="how long the new process loads its model")

    @property
    def notice_s(self) -> float:
        return self.grace

    @property
    def cold_start_s(self) -> float:
        return self.cold_start

    def params(self) -> dict[str, Any]:
        return {"grace_s": self.grace, "cold_start_s": self.cold_start}

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return TerminateFault(fault_id, self.kind, targets, self.cold_start, self.grace)
