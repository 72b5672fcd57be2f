"""`retry_storm`: clients retry immediately and without limit, in place of the profile's retry policy."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.load.demand import DemandSpec
from reports.shared.documents import Duration

__all__ = ["RetryStorm"]


class RetryStorm(DemandSpec):
    """Clients use the retry policy `aggressive`: immediate retries without limit."""

    kind: ClassVar[str] = "retry_storm"
    kept_times: ClassVar[tuple[str, ...]] = ("timeout",)

    timeout: Duration | None = Field(default=None, gt=0, description="the clients' timeout while it is active, as 5s")

    @property
    def changed_calls_share(self) -> float | None:
        return 1.0

    def params(self) -> dict[str, Any]:
        return {} if self.timeout is None else {"timeout_s": self.timeout}
