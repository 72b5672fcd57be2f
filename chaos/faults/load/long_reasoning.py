"""`long_reasoning`: a share of the calls produces many times the output tokens."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, model_validator

from chaos.faults.load.demand import DemandSpec
from reports.shared.documents import Mistake, Percentage

__all__ = ["LongReasoning"]


class LongReasoning(DemandSpec):
    """A share of the calls asks for many times the output tokens."""

    kind: ClassVar[str] = "long_reasoning"

    factor: float = Field(gt=1, le=1000, allow_inf_nan=False, description="multiplies the output tokens")
    share: Percentage = Field(description="share of the calls, as 3%; drawn by the seed for each call")

    @model_validator(mode="after")
    def _hits_something(self) -> LongReasoning:
        if self.share == 0:
            raise Mistake("share: 0% hits nothing", "give a share above 0%")
        return self

    @property
    def changed_calls_share(self) -> float | None:
        return self.share

    def params(self) -> dict[str, Any]:
        return {"factor": self.factor, "share": self.share}
