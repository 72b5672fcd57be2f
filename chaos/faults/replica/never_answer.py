"""`never_answer`: a request is accepted and never answered, with its connection open, while the fault is active."""

from __future__ import annotations

from typing import Any, ClassVar

from chaos.faults.spec import OnRequests

__all__ = ["NeverAnswer"]


class NeverAnswer(OnRequests):
    """A request is accepted and never answered, with its connection open."""

    kind: ClassVar[str] = "never_answer"
    silences_calls: ClassVar[bool] = True

    def params(self) -> dict[str, Any]:
        return {}
