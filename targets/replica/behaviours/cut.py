"""`cut`: a stream ends in the middle: closed (FIN), reset (RST), or ended cleanly with no terminal event."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from targets.replica.behaviours.base import Behaviour
from targets.replica.delivery.stream import AnswerStream

__all__ = ["CutStream"]


class CutStream(Behaviour, frozen=True, forbid_unknown_fields=True):
    """The end comes after `after_tokens` tokens (0: after the headers)."""

    after_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0
    how: Literal["fin", "rst", "clean"] = "fin"

    def act(self, stream: AnswerStream, fault_id: str) -> None:
        """Cut the stream."""
        stream.cut(self.how)
