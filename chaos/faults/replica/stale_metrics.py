"""`stale_metrics`: `/metrics` is frozen, or says that nobody is there."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from chaos.faults.spec import InReplica

__all__ = ["StaleMetrics"]


class StaleMetrics(InReplica):
    """Replicas whose metrics lie."""

    kind: ClassVar[str] = "stale_metrics"

    how: Literal["frozen", "idle"] = Field(
        default="frozen", description="frozen: as they were when it began; idle: no load, an empty cache"
    )

    def params(self) -> dict[str, Any]:
        return {"how": self.how}
