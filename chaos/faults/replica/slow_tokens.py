"""`slow_tokens`: a stream's tokens go out slowly; the engine behind it is as fast as ever."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, model_validator

from chaos.faults.spec import OnStreams
from reports.shared.documents import Duration, Mistake

__all__ = ["SlowTokens"]


class SlowTokens(OnStreams):
    """Streams whose tokens come slowly."""

    kind: ClassVar[str] = "slow_tokens"

    factor: float = Field(
        default=1.0, ge=1, le=1000, allow_inf_nan=False, description="how many times as far apart as they are made"
    )
    gap: Duration = Field(default=0.0, description="from one token to the next at least, as 300ms")
    after_tokens: int = Field(default=0, ge=0, description="tokens sent before it")

    @model_validator(mode="after")
    def _slows(self) -> SlowTokens:
        if self.factor == 1 and self.gap == 0:
            raise Mistake("slow_tokens slows nothing", "add factor: 5, or gap: 300ms")
        return self

    def params(self) -> dict[str, Any]:
        return {"factor": self.factor, "ms": round(self.gap * 1000, 6), "after_tokens": self.after_tokens}
