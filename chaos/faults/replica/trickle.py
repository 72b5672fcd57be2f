"""`trickle`: the bytes of a stream dribble out, events split across writes."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.spec import OnStreams
from reports.shared.documents import Duration

__all__ = ["Trickle"]


class Trickle(OnStreams):
    """Streams that come a few bytes at a time."""

    kind: ClassVar[str] = "trickle"

    bytes: int = Field(default=20, ge=1, description="bytes at a time")
    every: Duration = Field(default=0.01, gt=0, le=60, description="from one time to the next, as 10ms")
    after_tokens: int = Field(default=0, ge=0, description="tokens sent before it")

    def params(self) -> dict[str, Any]:
        return {"bytes": self.bytes, "ms": round(self.every * 1000, 6), "after_tokens": self.after_tokens}
