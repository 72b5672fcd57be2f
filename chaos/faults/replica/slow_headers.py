"""`slow_headers`: the response's headers arrive a few bytes at a time."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.spec import OnRequests
from reports.shared.documents import Duration

__all__ = ["SlowHeaders"]


class SlowHeaders(OnRequests):
    """Response headers take `delay` from the first byte to the last."""

    kind: ClassVar[str] = "slow_headers"
    silences_calls: ClassVar[bool] = True
    kept_times: ClassVar[tuple[str, ...]] = ("delay",)

    delay: Duration = Field(gt=0, description="how long the headers take, as 3s")

    def params(self) -> dict[str, Any]:
        return {"ms": round(self.delay * 1000, 6)}
