"""`preemption_storm`: running sequences are preempted again and again."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.spec import InReplica
from reports.shared.documents import Duration

__all__ = ["PreemptionStorm"]


class PreemptionStorm(InReplica):
    """Replicas preempt running sequences periodically, and compute them again."""

    kind: ClassVar[str] = "preemption_storm"
    kept_times: ClassVar[tuple[str, ...]] = ("every",)

    every: Duration = Field(default=0.5, ge=0.01, le=3600, description="interval between preemptions, as 500ms")
    sequences: int = Field(default=1, ge=1, description="how many each time, the latest arrivals first")

    def params(self) -> dict[str, Any]:
        return {"ms": round(self.every * 1000, 6), "count": self.sequences}
