"""`slow_headers`: the head of a response comes a few bytes at a time."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.spec import OnRequests
from reports.shared.documents import Duration

__all__ = ["SlowHeaders"]


class SlowHeaders(OnRequests):
    """Responses whose head takes `delay` from its first byte to its last."""

    kind: ClassVar[str] = "slow_headers"

    delay: Duration = Field(gt=0, description="how long the head takes, as 3s")

    def params(self) -> dict[str, Any]:
        return {"ms": round(self.delay * 1000, 6)}
