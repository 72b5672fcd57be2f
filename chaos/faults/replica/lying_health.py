"""`lying_health`: the health checks say 200, and nobody is served."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from chaos.faults.spec import InReplica

__all__ = ["LyingHealth"]


class LyingHealth(InReplica):
    """Replicas that are healthy and dead."""

    kind: ClassVar[str] = "lying_health"

    how: Literal["silent", "failing"] = Field(
        default="silent", description="silent: no answer, no token, connections open; failing: a 500 to every request"
    )

    def params(self) -> dict[str, Any]:
        return {"how": self.how}
