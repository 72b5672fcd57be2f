"""`latency`: every request waits before it reaches the engine, as on a slow network or behind a busy proxy."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, model_validator

from chaos.faults.spec import OnRequests
from reports.shared.documents import Duration, Mistake

__all__ = ["Latency"]


class Latency(OnRequests):
    """Requests that wait `delay`, give or take up to `jitter`."""

    kind: ClassVar[str] = "latency"

    delay: Duration = Field(description="how long a request waits, as 300ms")
    jitter: Duration = Field(default=0.0, description="how much more or less it may be, as 50ms")

    @model_validator(mode="after")
    def _not_negative(self) -> Latency:
        if self.jitter > self.delay:
            raise Mistake("jitter is more than delay", "a request cannot wait less than nothing: make jitter smaller")
        return self

    def params(self) -> dict[str, Any]:
        return {"ms": round(self.delay * 1000, 6), "jitter_ms": round(self.jitter * 1000, 6)}
