"""`trickle`: the bytes of a stream are sent a few at a time, so that events are split across writes."""

from __future__ import annotations

from typing import Annotated

import msgspec

from targets.replica.behaviours.base import Behaviour
from targets.replica.delivery.stream import OutgoingStream

__all__ = ["Trickle"]


class Trickle(Behaviour, frozen=True, forbid_unknown_fields=True):
    """After `after_tokens` tokens, sends `bytes` bytes every `ms` milliseconds."""

    bytes: Annotated[int, msgspec.Meta(ge=1)] = 20
    ms: Annotated[float, msgspec.Meta(gt=0, le=60_000)] = 10.0
    after_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0

    def act(self, stream: OutgoingStream, fault_id: str) -> None:
        """Slow down the bytes."""
        stream.trickle(fault_id, self.bytes, self.ms / 1000)
