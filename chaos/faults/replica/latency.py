"""`latency`: every request waits before it reaches the engine, as on a slow network or behind a busy proxy."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, model_validator

from chaos.faults.spec import OnRequests
from reports.shared.documents import Duration, Mistake

__all__ = ["Latency"]


class Latency(OnRequests):
    """A request waits for `delay`, plus or minus up to `jitter`, before the replica handles it."""

    kind: ClassVar[str] = "latency"
    kept_times: ClassVar[tuple[str, ...]] = (
        "delay",
        "jitter",
    )

    delay: Duration = Field(description="how long a request waits, as 300ms")
    jitter: Duration = Field(default=0.0, description="maximum difference from delay, as 50ms")

    @model_validator(mode="after")
    def _not_negative(self) -> Latency:
        if self.jitter > self.delay:
            raise Mistake("jitter is more than delay", "make jitter at most delay: a wait cannot be negative")
        return self

    def params(self) -> dict[str, Any]:
        return {"ms": round(self.delay * 1000, 6), "jitter_ms": round(self.jitter * 1000, 6)}
