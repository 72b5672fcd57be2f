"""`shrink_kv`: a part of the KV cache is gone. What does not fit any more is preempted; the blocks come back empty."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from targets.replica.behaviours.base import Behaviour, EngineLimits

__all__ = ["ShrinkKv"]


class ShrinkKv(Behaviour, frozen=True, forbid_unknown_fields=True):
    """`lost` is the share of the blocks that is taken away; one block always stays."""

    whole_replica: ClassVar[bool] = True

    lost: Annotated[float, msgspec.Meta(gt=0, lt=1)]

    @property
    def limits(self) -> EngineLimits:
        """What stays."""
        return EngineLimits(kv=1.0 - self.lost)
