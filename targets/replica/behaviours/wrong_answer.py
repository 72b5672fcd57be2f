"""`wrong_answer`: an answer continues with the tokens of another one. Its form is correct."""

from __future__ import annotations

from typing import Annotated

import msgspec

from reports.shared.tokens import token_stream
from targets.replica.behaviours.base import Behaviour
from targets.replica.delivery.stream import OutgoingStream

__all__ = ["WrongAnswer"]


class WrongAnswer(Behaviour, frozen=True, forbid_unknown_fields=True):
    """The tokens after the first `after_tokens` are those of another answer."""

    after_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0

    def act(self, stream: OutgoingStream, fault_id: str) -> None:
        """Replace the rest of the answer."""
        stream.replace_rest(token_stream(f"{fault_id}/somebody else's", stream.total))
