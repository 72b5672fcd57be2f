"""`slow_tokens`: a stream's tokens are sent slowly; the engine's speed is unchanged."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, model_validator

from chaos.faults.spec import OnStreams
from reports.shared.documents import Duration, Mistake

__all__ = ["SlowTokens"]


class SlowTokens(OnStreams):
    """A stream's tokens are sent slowly; the engine's speed is unchanged."""

    kind: ClassVar[str] = "slow_tokens"
    silences_calls: ClassVar[bool] = True
    kept_times: ClassVar[tuple[str, ...]] = ("gap",)

    factor: float = Field(
        default=1.0,
        ge=1,
        le=1000,
        allow_inf_nan=False,
        description="how many times the engine's interval between tokens",
    )
    gap: Duration = Field(default=0.0, description="minimum interval between tokens, as 300ms")
    after_tokens: int = Field(default=0, ge=0, description="tokens sent before it begins")

    @model_validator(mode="after")
    def _slows(self) -> SlowTokens:
        if self.factor == 1 and self.gap == 0:
            raise Mistake("slow_tokens slows nothing", "add factor: 5, or gap: 300ms")
        return self

    def params(self) -> dict[str, Any]:
        return {"factor": self.factor, "ms": round(self.gap * 1000, 6), "after_tokens": self.after_tokens}
