"""`lying_health`: the health checks return 200, and no request is served."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from chaos.faults.spec import InReplica

__all__ = ["LyingHealth"]


class LyingHealth(InReplica):
    """Replicas pass their health checks and serve no request."""

    kind: ClassVar[str] = "lying_health"
    silences_calls: ClassVar[bool] = True

    how: Literal["silent", "failing"] = Field(
        default="silent",
        description="silent: no answer and no token, connections open; failing: status 500 to every request",
    )

    def params(self) -> dict[str, Any]:
        return {"how": self.how}
