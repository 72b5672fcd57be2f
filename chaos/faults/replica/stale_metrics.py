"""`stale_metrics`: `/metrics` is frozen, or reports no load."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from chaos.faults.spec import InReplica

__all__ = ["StaleMetrics"]


class StaleMetrics(InReplica):
    """Replicas report stale or empty metrics."""

    kind: ClassVar[str] = "stale_metrics"

    how: Literal["frozen", "idle"] = Field(
        default="frozen", description="frozen: the values at the injection; idle: no load and an empty cache"
    )

    def params(self) -> dict[str, Any]:
        return {"how": self.how}
