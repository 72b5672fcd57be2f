"""`slow_prefill`: prefill takes `factor` times as long; decode is unchanged."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.spec import InReplica

__all__ = ["SlowPrefill"]


class SlowPrefill(InReplica):
    """Replicas compute prompts slowly; decode is unchanged."""

    kind: ClassVar[str] = "slow_prefill"

    factor: float = Field(gt=1, le=1000, allow_inf_nan=False, description="how many times as long prefill work takes")

    def params(self) -> dict[str, Any]:
        return {"factor": self.factor}
