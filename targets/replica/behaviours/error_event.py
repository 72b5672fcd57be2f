"""`error_event`: an answer with status 200 ends with an error, in the format of the API."""

from __future__ import annotations

from typing import Annotated

import msgspec

from targets.replica.behaviours.base import Behaviour
from targets.replica.delivery.stream import OutgoingStream

__all__ = ["ErrorEvent"]


class ErrorEvent(Behaviour, frozen=True, forbid_unknown_fields=True):
    """After `after_tokens` tokens, the stream sends an error with `message` and ends. The body of an answer that is not
    streamed is the error."""

    after_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0
    message: str = "The engine failed while it was answering."

    def act(self, stream: OutgoingStream, fault_id: str) -> None:
        """End the stream with the error."""
        stream.end_with_error(self.message)
