"""`wrong_answer`: an answer goes on with the tokens of another one; nothing about its form is wrong."""

from __future__ import annotations

from typing import Annotated

import msgspec

from reports.shared.tokens import token_stream
from targets.replica.behaviours.base import Behaviour
from targets.replica.delivery.stream import AnswerStream

__all__ = ["WrongAnswer"]


class WrongAnswer(Behaviour, frozen=True, forbid_unknown_fields=True):
    """What comes after `after_tokens` tokens belongs to somebody else."""

    after_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0

    def act(self, stream: AnswerStream, fault_id: str) -> None:
        """Mix the answers up."""
        stream.spoil(token_stream(f"{fault_id}/somebody else's", stream.total))
