"""`duplicate`: a token of a stream is sent twice."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from targets.replica.behaviours.base import Behaviour
from targets.replica.delivery.stream import OutgoingStream

__all__ = ["Duplicate"]


class Duplicate(Behaviour, frozen=True, forbid_unknown_fields=True):
    """Repeats the last of the first `after_tokens` tokens."""

    only_streamed: ClassVar[bool] = True

    after_tokens: Annotated[int, msgspec.Meta(ge=1)] = 1

    def act(self, stream: OutgoingStream, fault_id: str) -> None:
        """Send the last token again."""
        stream.repeat_last_token()
