"""`slow_scheduler`: the gateway makes routing decisions one at a time and slowly, so that a queue forms there."""

from __future__ import annotations

from typing import Annotated

import msgspec

from targets.gateway.behaviours.base import Behaviour

__all__ = ["SlowScheduler"]


class SlowScheduler(Behaviour, frozen=True):
    """Each decision takes `ms` milliseconds; none is made for the first `stall_s` seconds."""

    ms: Annotated[float, msgspec.Meta(ge=0, le=60_000)] = 0.0
    stall: Annotated[float, msgspec.Meta(ge=0, le=600)] = msgspec.field(default=0.0, name="stall_s")

    def check(self, replicas: frozenset[str]) -> None:
        """See `Behaviour.check`."""
        if not (self.ms or self.stall):
            raise ValueError("slow_scheduler needs ms or stall_s above 0")

    @property
    def decision_s(self) -> float:
        """See `Behaviour.decision_s`."""
        return self.ms / 1000

    @property
    def stall_s(self) -> float:
        """See `Behaviour.stall_s`."""
        return self.stall
