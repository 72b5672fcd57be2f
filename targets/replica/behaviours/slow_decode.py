"""`slow_decode`: a throttled chip. Every decode step of the replica takes longer; prefill does not."""

from __future__ import annotations

from typing import Annotated

import msgspec

from targets.replica.behaviours.base import Behaviour

__all__ = ["SlowDecode"]


class SlowDecode(Behaviour, frozen=True, forbid_unknown_fields=True):
    """Decode steps take `factor` times as long."""

    factor: Annotated[float, msgspec.Meta(gt=0, le=10_000)]

    @property
    def decode_factor(self) -> float:
        """The factor."""
        return self.factor
