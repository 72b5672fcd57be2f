"""`slow_tokens`: the tokens of a stream are sent slowly. The engine produces them at full speed."""

from __future__ import annotations

from typing import Annotated

import msgspec

from targets.replica.behaviours.base import Behaviour
from targets.replica.delivery.stream import OutgoingStream

__all__ = ["SlowTokens"]


class SlowTokens(Behaviour, frozen=True, forbid_unknown_fields=True):
    """After `after_tokens` tokens, the others are sent `factor` times as far apart as they are produced, and at least
    `ms` milliseconds apart."""

    factor: Annotated[float, msgspec.Meta(ge=1, le=10_000)] = 1.0
    ms: Annotated[float, msgspec.Meta(ge=0, le=3_600_000)] = 0.0
    after_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0

    def act(self, stream: OutgoingStream, fault_id: str) -> None:
        """Slow down the stream."""
        stream.slow_tokens(fault_id, factor=self.factor, gap_s=self.ms / 1000)
