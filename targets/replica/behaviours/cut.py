"""`cut`: a stream ends early: by FIN, by RST, or by a proper end of the body without a terminal event."""

from __future__ import annotations

from typing import Annotated

import msgspec

from targets.replica.behaviours.base import Behaviour
from targets.replica.delivery.stream import CutMode, OutgoingStream

__all__ = ["CutStream"]


class CutStream(Behaviour, frozen=True, forbid_unknown_fields=True):
    """Cuts the stream after `after_tokens` tokens (0: after the headers)."""

    after_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0
    how: CutMode = "fin"

    def act(self, stream: OutgoingStream, fault_id: str) -> None:
        """Cut the stream."""
        stream.cut(self.how)
