"""`retry_storm`: clients that retry at once and without limit, whatever the profile's do."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.load.demand import DemandSpec
from reports.shared.documents import Duration

__all__ = ["RetryStorm"]


class RetryStorm(DemandSpec):
    """Clients whose policy becomes `aggressive`."""

    kind: ClassVar[str] = "retry_storm"

    timeout: Duration | None = Field(default=None, gt=0, description="the clients' timeout meanwhile, as 5s")

    def params(self) -> dict[str, Any]:
        return {} if self.timeout is None else {"timeout_s": self.timeout}
