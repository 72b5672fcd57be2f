"""`slow_decode`: the chip is throttled; every decode step takes `factor` times as long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.base import Fault
from chaos.faults.behaviour import BehaviourFault
from chaos.faults.spec import WholeReplica

__all__ = ["SlowDecode"]


class SlowDecode(WholeReplica):
    """Replicas whose chips are throttled. Every request in the batch feels it, so that there is no share."""

    kind: ClassVar[str] = "slow_decode"

    factor: float = Field(gt=1, le=1000, allow_inf_nan=False, description="how many times as long a decode step takes")

    def params(self) -> dict[str, Any]:
        return {"factor": self.factor}

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return BehaviourFault(fault_id, self.kind, targets, self.params(), None, seed)
