"""`duplicate`: a token of a stream is sent twice."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from targets.replica.behaviours.base import Behaviour
from targets.replica.delivery.stream import AnswerStream

__all__ = ["Duplicate"]


class Duplicate(Behaviour, frozen=True, forbid_unknown_fields=True):
    """The one before the next, once `after_tokens` are sent."""

    only_streamed: ClassVar[bool] = True

    after_tokens: Annotated[int, msgspec.Meta(ge=1)] = 1

    def act(self, stream: AnswerStream, fault_id: str) -> None:
        """Send it again."""
        stream.repeat()
