"""`error_event`: the status was 200, and in the middle of the answer comes an error, in the API's own shape."""

from __future__ import annotations

from typing import Annotated

import msgspec

from targets.replica.behaviours.base import Behaviour
from targets.replica.delivery.stream import AnswerStream

__all__ = ["ErrorEvent"]


class ErrorEvent(Behaviour, frozen=True, forbid_unknown_fields=True):
    """After `after_tokens` tokens the stream says `message` and ends. An answer that is not streamed is the error."""

    after_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0
    message: str = "The engine failed while it was answering."

    def act(self, stream: AnswerStream, fault_id: str) -> None:
        """End the stream with the error."""
        stream.end_with_error(self.message)
