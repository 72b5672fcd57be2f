"""`corrupt`: one event of a stream is corrupt, and the stream goes on."""

from __future__ import annotations

from typing import Annotated

import msgspec

from targets.replica.behaviours.base import Behaviour
from targets.replica.delivery.stream import Corruption, OutgoingStream

__all__ = ["Corrupt"]


class Corrupt(Behaviour, frozen=True, forbid_unknown_fields=True):
    """Corrupts the event of the token after `after_tokens`. `how`: `data` (not valid JSON) or `line` (a line without a
    field name, which readers of server-sent events skip). An answer that is not streamed loses half of its body."""

    after_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0
    how: Corruption = "data"

    def act(self, stream: OutgoingStream, fault_id: str) -> None:
        """Corrupt the next event."""
        stream.corrupt_next_event(self.how)
