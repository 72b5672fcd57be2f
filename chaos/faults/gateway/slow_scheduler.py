"""`slow_scheduler`: the gateway's decisions are made one at a time and take long, or none is made for a while."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field, model_validator

from chaos.faults.base import Fault
from chaos.faults.behaviour import BehaviourFault
from chaos.faults.spec import OnGateway
from reports.shared.documents import Duration, Mistake

__all__ = ["SlowScheduler"]


class SlowScheduler(OnGateway):
    """A gateway that decides slowly: calls queue there."""

    kind: ClassVar[str] = "slow_scheduler"

    delay: Duration = Field(default=0.0, le=60, description="how long each decision takes, as 50ms; one at a time")
    stall: Duration = Field(default=0.0, le=600, description="how long no decision is made, from the injection, as 2s")

    @model_validator(mode="after")
    def _does_something(self) -> SlowScheduler:
        if not (self.delay or self.stall):
            raise Mistake("slows nothing down", "add delay: 50ms, or stall: 2s")
        return self

    def params(self) -> dict[str, Any]:
        return {"ms": round(self.delay * 1000, 6), "stall_s": self.stall}

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return BehaviourFault(fault_id, self.kind, targets, self.params(), None, seed)
