"""`slow_scheduler`: the gateway makes its decisions one at a time and slowly, or makes none for a while."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, model_validator

from chaos.faults.spec import OnGateway
from reports.shared.documents import Duration, Mistake

__all__ = ["SlowScheduler"]


class SlowScheduler(OnGateway):
    """The gateway makes routing decisions slowly, so that calls queue in it."""

    kind: ClassVar[str] = "slow_scheduler"
    scaled_times: ClassVar[tuple[str, ...]] = ("stall",)
    kept_times: ClassVar[tuple[str, ...]] = ("delay",)

    delay: Duration = Field(default=0.0, le=60, description="how long each decision takes, as 50ms; one at a time")
    stall: Duration = Field(default=0.0, le=600, description="how long it makes no decision, from the injection, as 2s")

    @model_validator(mode="after")
    def _does_something(self) -> SlowScheduler:
        if not (self.delay or self.stall):
            raise Mistake("slows nothing down", "add delay: 50ms, or stall: 2s")
        return self

    def params(self) -> dict[str, Any]:
        return {"ms": round(self.delay * 1000, 6), "stall_s": self.stall}
