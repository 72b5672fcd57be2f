"""`restart`: SIGTERM with a notice, in which the replica drains; then a new process that loads its model (a cold start)
before it is ready.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.base import Fault
from chaos.faults.process.terminate import TerminateFault
from chaos.faults.spec import WholeReplica
from reports.shared.documents import Duration

__all__ = ["Restart"]


class Restart(WholeReplica):
    """Replicas that are restarted. `for` of the entry is how long they stay down in between; 0 s if absent."""

    kind: ClassVar[str] = "restart"
    needs_duration: ClassVar[bool] = False
    stops_process: ClassVar[bool] = True

    grace: Duration = Field(
        default=1.0, le=600, description="notice, in which it drains: between SIGTERM and SIGKILL at most"
    )
    cold_start: Duration = Field(default=10.0, description="how long the new process loads its model")

    @property
    def cold_start_s(self) -> float:
        return self.cold_start

    def params(self) -> dict[str, Any]:
        return {"grace_s": self.grace, "cold_start_s": self.cold_start}

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return TerminateFault(fault_id, self.kind, targets, self.cold_start, self.grace)
