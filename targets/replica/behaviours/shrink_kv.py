"""`shrink_kv`: the KV cache loses blocks. Requests that no longer fit are preempted; the blocks return empty."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from targets.replica.behaviours.base import Behaviour, EngineLimits

__all__ = ["ShrinkKv"]


class ShrinkKv(Behaviour, frozen=True, forbid_unknown_fields=True):
    """Removes the share `lost` of the blocks. At least one block remains."""

    whole_replica: ClassVar[bool] = True

    lost: Annotated[float, msgspec.Meta(gt=0, lt=1)]

    @property
    def limits(self) -> EngineLimits:
        """The share that remains."""
        return EngineLimits(kv=1.0 - self.lost)
