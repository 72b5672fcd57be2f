"""`cut`: a stream ends half way: by FIN, by RST, or with a clean end of the body and no terminal event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from chaos.faults.base import Fault
from chaos.faults.behaviour import BehaviourFault
from chaos.faults.spec import OnRequests

__all__ = ["Cut"]


class Cut(OnRequests):
    """Streams that are cut after a number of tokens."""

    kind: ClassVar[str] = "cut"

    how: Literal["fin", "rst", "clean"] = Field(
        description="fin and rst close the connection mid-body; clean ends the body properly, without a terminal event"
    )
    after_tokens: int = Field(default=0, ge=0, description="tokens sent before the cut")

    def params(self) -> dict[str, Any]:
        return {"after_tokens": self.after_tokens, "how": self.how}

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return BehaviourFault(fault_id, self.kind, targets, self.params(), self.share, seed)
