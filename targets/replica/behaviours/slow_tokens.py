"""`slow_tokens`: a stream's tokens go out slowly while the engine makes them as fast as ever."""

from __future__ import annotations

from typing import Annotated

import msgspec

from targets.replica.behaviours.base import Behaviour
from targets.replica.delivery.stream import AnswerStream

__all__ = ["SlowTokens"]


class SlowTokens(Behaviour, frozen=True, forbid_unknown_fields=True):
    """After `after_tokens` tokens they come `factor` times as far apart as they are made, and at least `ms`
    milliseconds from one to the next."""

    factor: Annotated[float, msgspec.Meta(ge=1, le=10_000)] = 1.0
    ms: Annotated[float, msgspec.Meta(ge=0, le=3_600_000)] = 0.0
    after_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0

    def act(self, stream: AnswerStream, fault_id: str) -> None:
        """Slow the stream down."""
        stream.pace(fault_id, factor=self.factor, gap_s=self.ms / 1000)
