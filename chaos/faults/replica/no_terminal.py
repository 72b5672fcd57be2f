"""`no_terminal`: all tokens come, then the stream ends properly, but for its terminal event."""

from __future__ import annotations

from typing import Any, ClassVar

from chaos.faults.spec import OnRequests

__all__ = ["NoTerminal"]


class NoTerminal(OnRequests):
    """Streams without their terminal event."""

    kind: ClassVar[str] = "no_terminal"

    def params(self) -> dict[str, Any]:
        return {}
