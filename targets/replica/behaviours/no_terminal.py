"""`no_terminal`: all tokens come, then the stream ends properly, but for its terminal event."""

from __future__ import annotations

from typing import ClassVar

from targets.replica.behaviours.base import Behaviour
from targets.replica.delivery.stream import AnswerStream

__all__ = ["NoTerminal"]


class NoTerminal(Behaviour, frozen=True, forbid_unknown_fields=True):
    """The finish reason and the usage are missing as well."""

    only_streamed: ClassVar[bool] = True

    @property
    def after_tokens(self) -> None:
        """After the last."""
        return None

    def act(self, stream: AnswerStream, fault_id: str) -> None:
        """End the body."""
        stream.cut("clean")
