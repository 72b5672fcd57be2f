"""`trickle`: a stream's bytes arrive a few at a time, so that events are split across writes."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.spec import OnStreams
from reports.shared.documents import Duration

__all__ = ["Trickle"]


class Trickle(OnStreams):
    """A stream arrives a few bytes per write."""

    kind: ClassVar[str] = "trickle"
    silences_calls: ClassVar[bool] = True
    kept_times: ClassVar[tuple[str, ...]] = ("every",)

    bytes: int = Field(default=20, ge=1, description="bytes per write")
    every: Duration = Field(default=0.01, gt=0, le=60, description="interval between writes, as 10ms")
    after_tokens: int = Field(default=0, ge=0, description="tokens sent before it begins")

    def params(self) -> dict[str, Any]:
        return {"bytes": self.bytes, "ms": round(self.every * 1000, 6), "after_tokens": self.after_tokens}
