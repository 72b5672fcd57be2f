"""`stuck_config`: the gateway keeps replicas in its list, whatever it knows of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.base import Fault
from chaos.faults.behaviour import BehaviourFault
from chaos.faults.selection import Names
from chaos.faults.spec import OnGateway

__all__ = ["StuckConfig"]


class StuckConfig(OnGateway):
    """A gateway that goes on sending calls to replicas that it knows to be ill."""

    kind: ClassVar[str] = "stuck_config"

    replicas: Names = Field(description="the replicas that stay in its list, as [tpu-0, tpu-1]")

    def params(self) -> dict[str, Any]:
        return {"replicas": list(self.replicas)}

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return BehaviourFault(fault_id, self.kind, targets, self.params(), None, seed)
