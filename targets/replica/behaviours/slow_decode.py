"""`slow_decode`: every decode step takes longer, as on a throttled chip. Prefill does not."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from targets.replica.behaviours.base import Behaviour, EngineLimits

__all__ = ["SlowDecode"]


class SlowDecode(Behaviour, frozen=True, forbid_unknown_fields=True):
    """Decode steps take `factor` times as long."""

    whole_replica: ClassVar[bool] = True

    factor: Annotated[float, msgspec.Meta(gt=0, le=10_000)]

    @property
    def limits(self) -> EngineLimits:
        """The factor of decode steps."""
        return EngineLimits(decode=self.factor)
