"""`stall`: a stream stops sending while its connection stays open and the engine goes on."""

from __future__ import annotations

from typing import Annotated

import msgspec

from targets.replica.behaviours.base import Behaviour
from targets.replica.delivery.stream import OutgoingStream

__all__ = ["Stall"]


class Stall(Behaviour, frozen=True, forbid_unknown_fields=True):
    """Sends nothing after `after_tokens` tokens (0: not even headers), for `for_s` seconds or until the behaviour ends.
    Then all tokens produced meanwhile are sent at once."""

    after_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0
    for_s: Annotated[float, msgspec.Meta(gt=0)] | None = None

    def act(self, stream: OutgoingStream, fault_id: str) -> None:
        """Hold the stream."""
        stream.hold(fault_id)
        if self.for_s is not None:
            stream.release_later(fault_id, self.for_s)
