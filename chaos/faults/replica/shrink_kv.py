"""`shrink_kv`: a part of the KV cache is removed; sequences that no longer fit are preempted."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.spec import InReplica
from reports.shared.documents import Percentage

__all__ = ["ShrinkKv"]


class ShrinkKv(InReplica):
    """Replicas lose a part of their KV cache; sequences that no longer fit are preempted."""

    kind: ClassVar[str] = "shrink_kv"

    lost: Percentage = Field(gt=0, lt=1, description="the share of the blocks that is removed, as 60%")

    def params(self) -> dict[str, Any]:
        return {"lost": self.lost}
