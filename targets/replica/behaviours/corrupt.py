"""`corrupt`: one event of a stream is broken, and the stream goes on as if nothing were."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from targets.replica.behaviours.base import Behaviour
from targets.replica.delivery.stream import AnswerStream

__all__ = ["Corrupt"]


class Corrupt(Behaviour, frozen=True, forbid_unknown_fields=True):
    """The event of the token after `after_tokens`: its `data` are no JSON, or its `line` begins with no field's name
    (which a reader of server-sent events skips). Of an answer that is not streamed, half of the body comes."""

    after_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0
    how: Literal["data", "line"] = "data"

    def act(self, stream: AnswerStream, fault_id: str) -> None:
        """Break the next event."""
        stream.break_next(self.how)
