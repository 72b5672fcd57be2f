"""`slow_decode`: the chip is throttled: every decode step takes `factor` times as long."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.spec import InReplica

__all__ = ["SlowDecode"]


class SlowDecode(InReplica):
    """Replicas decode slowly, as on a throttled chip. It affects every request in the batch, so there is no share."""

    kind: ClassVar[str] = "slow_decode"

    factor: float = Field(gt=1, le=1000, allow_inf_nan=False, description="how many times as long a decode step takes")

    def params(self) -> dict[str, Any]:
        return {"factor": self.factor}
