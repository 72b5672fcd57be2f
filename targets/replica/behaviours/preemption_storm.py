"""`preemption_storm`: running sequences are thrown back into the queue again and again, and lose their KV blocks."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from targets.replica.behaviours.base import Behaviour, EngineControls

__all__ = ["PreemptionStorm"]


class PreemptionStorm(Behaviour, frozen=True, forbid_unknown_fields=True):
    """Every `ms` milliseconds the last `count` of the running (all, where there are fewer)."""

    whole_replica: ClassVar[bool] = True

    ms: Annotated[float, msgspec.Meta(ge=10, le=3_600_000)] = 500.0
    count: Annotated[int, msgspec.Meta(ge=1)] = 1

    @property
    def every_s(self) -> float:
        """Seconds between two times."""
        return self.ms / 1000

    def pulse(self, engine: EngineControls) -> None:
        """Preempt."""
        engine.preempt(self.count)
