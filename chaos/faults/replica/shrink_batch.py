"""`shrink_batch`: fewer sequences run at the same time; the others queue."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.spec import InReplica

__all__ = ["ShrinkBatch"]


class ShrinkBatch(InReplica):
    """Replicas run fewer sequences at the same time; the others queue."""

    kind: ClassVar[str] = "shrink_batch"

    max_sequences: int = Field(ge=1, description="how many run at the same time at most")

    def params(self) -> dict[str, Any]:
        return {"max_sequences": self.max_sequences}
