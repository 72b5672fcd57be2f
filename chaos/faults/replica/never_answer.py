"""`never_answer`: a request is taken and never answered, its connection open, while the fault lasts."""

from __future__ import annotations

from typing import Any, ClassVar

from chaos.faults.spec import OnRequests

__all__ = ["NeverAnswer"]


class NeverAnswer(OnRequests):
    """Requests that nobody answers."""

    kind: ClassVar[str] = "never_answer"

    def params(self) -> dict[str, Any]:
        return {}
