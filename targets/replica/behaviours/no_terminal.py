"""`no_terminal`: all tokens are sent and the body ends properly, but without the terminal event."""

from __future__ import annotations

from typing import ClassVar

from targets.replica.behaviours.base import Behaviour
from targets.replica.delivery.stream import OutgoingStream

__all__ = ["NoTerminal"]


class NoTerminal(Behaviour, frozen=True, forbid_unknown_fields=True):
    """Omits the finish reason and the usage as well."""

    only_streamed: ClassVar[bool] = True

    @property
    def after_tokens(self) -> None:
        """After the last token."""
        return None

    def act(self, stream: OutgoingStream, fault_id: str) -> None:
        """End the body."""
        stream.cut("clean")
