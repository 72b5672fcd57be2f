"""`flush_cache`: the prefix cache is flushed, once or periodically."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.spec import InReplica
from reports.shared.documents import Duration

__all__ = ["FlushCache"]


class FlushCache(InReplica):
    """Replicas lose their prefix cache, once or periodically."""

    kind: ClassVar[str] = "flush_cache"
    kept_times: ClassVar[tuple[str, ...]] = ("every",)

    every: Duration | None = Field(
        default=None, ge=0.01, le=3600, description="interval between flushes, as 5s; once if absent"
    )

    def params(self) -> dict[str, Any]:
        return {} if self.every is None else {"every_s": self.every}
