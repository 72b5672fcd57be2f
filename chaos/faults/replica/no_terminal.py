"""`no_terminal`: all tokens of a stream are sent and the body ends properly, without the terminal event."""

from __future__ import annotations

from typing import Any, ClassVar

from chaos.faults.spec import OnRequests

__all__ = ["NoTerminal"]


class NoTerminal(OnRequests):
    """A stream ends properly but without its terminal event."""

    kind: ClassVar[str] = "no_terminal"

    def params(self) -> dict[str, Any]:
        return {}
