"""`slow_prefill`: prefill takes longer. The fixed part of a step with decoding requests does not."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from targets.replica.behaviours.base import Behaviour, EngineLimits

__all__ = ["SlowPrefill"]


class SlowPrefill(Behaviour, frozen=True, forbid_unknown_fields=True):
    """Prefill work takes `factor` times as long."""

    whole_replica: ClassVar[bool] = True

    factor: Annotated[float, msgspec.Meta(gt=0, le=10_000)]

    @property
    def limits(self) -> EngineLimits:
        """The factor of prefill work."""
        return EngineLimits(prefill=self.factor)
