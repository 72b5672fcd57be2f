"""`flap`: killed and started repeatedly, as a process that crashes after each start (crash loop)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field, model_validator

from chaos.faults.base import Fault, on_each
from chaos.faults.process.kill import KillFault
from chaos.faults.spec import OnProcess
from chaos.faults.world import World
from reports.shared.documents import Duration, Mistake, Percentage

__all__ = ["Flap", "FlapFault"]


class Flap(OnProcess):
    """Replicas are killed and started repeatedly, as in a crash loop."""

    kind: ClassVar[str] = "flap"
    loses_spans: ClassVar[bool] = True
    scaled_times: ClassVar[tuple[str, ...]] = ("period", "cold_start")

    period: Duration = Field(ge=1, description="from one kill to the next, as 6s; at least 1s")
    duty: Percentage = Field(default=0.5, description="share of the period in which the process runs, as 50%")
    cold_start: Duration = Field(default=0.0, description="how long the process loads its model at each start")

    @model_validator(mode="after")
    def _duty_is_between(self) -> Flap:
        if not 0 < self.duty < 1:
            raise Mistake("duty must be above 0% and below 100%", "write it as duty: 50%")
        return self

    @property
    def cold_start_s(self) -> float:
        return self.cold_start

    def params(self) -> dict[str, Any]:
        return {"period_s": self.period, "duty": self.duty, "cold_start_s": self.cold_start}

    def build(self, fault_id: str, targets: Sequence[str], seed: int) -> Fault:
        return FlapFault(fault_id, self.kind, targets, self.cold_start, self.period, self.duty)


class FlapFault(KillFault):
    """A kill that repeats while it is active: down for `1 - duty` of each period, up for the rest."""

    def __init__(
        self, fault_id: str, kind: str, targets: Sequence[str], cold_start_s: float, period_s: float, duty: float
    ) -> None:
        super().__init__(fault_id, kind, targets, cold_start_s)
        self.down_s, self.up_s = period_s * (1 - duty), period_s * duty

    async def hold(self, world: World) -> None:
        while True:
            await world.sleep(self.down_s)
            await on_each(self.targets, lambda name: world.start(name, cold_start_s=self.cold_start_s))
            await world.sleep(self.up_s)
            await on_each(self.targets, world.kill)
