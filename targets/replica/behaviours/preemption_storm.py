"""`preemption_storm`: running requests are preempted periodically and lose their KV blocks."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from targets.replica.behaviours.base import Behaviour, EngineControls

__all__ = ["PreemptionStorm"]


class PreemptionStorm(Behaviour, frozen=True, forbid_unknown_fields=True):
    """Every `ms` milliseconds, preempts the last `count` running requests (all if fewer run)."""

    whole_replica: ClassVar[bool] = True

    ms: Annotated[float, msgspec.Meta(ge=10, le=3_600_000)] = 500.0
    count: Annotated[int, msgspec.Meta(ge=1)] = 1

    @property
    def every_s(self) -> float:
        """The period in seconds."""
        return self.ms / 1000

    def act_on_engine(self, engine: EngineControls) -> None:
        """Preempt."""
        engine.preempt(self.count)
