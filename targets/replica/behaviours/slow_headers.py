"""`slow_headers`: the head of a response is sent slowly, a few bytes at a time. The body is not."""

from __future__ import annotations

from typing import Annotated

import msgspec

from targets.replica.behaviours.base import Behaviour
from targets.replica.delivery.stream import OutgoingStream

__all__ = ["SlowHeaders"]


class SlowHeaders(Behaviour, frozen=True, forbid_unknown_fields=True):
    """The head takes `ms` milliseconds from its first byte (sent with the first token) to its last."""

    ms: Annotated[float, msgspec.Meta(gt=0, le=3_600_000)]

    @property
    def after_tokens(self) -> int:
        """Before any token."""
        return 0

    def act(self, stream: OutgoingStream, fault_id: str) -> None:
        """Slow down the head."""
        stream.slow_headers(fault_id, self.ms / 1000)
