"""`flush_cache`: the prefix cache is dropped, once or again and again."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.spec import InReplica
from reports.shared.documents import Duration

__all__ = ["FlushCache"]


class FlushCache(InReplica):
    """Replicas that forget their prefix cache."""

    kind: ClassVar[str] = "flush_cache"

    every: Duration | None = Field(
        default=None, ge=0.01, le=3600, description="again and again, as 5s; without it once"
    )

    def params(self) -> dict[str, Any]:
        return {} if self.every is None else {"every_s": self.every}
