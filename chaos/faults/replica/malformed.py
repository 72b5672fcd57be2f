"""`malformed`: what comes back is no HTTP at all, or a 200 whose JSON is cut off."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from chaos.faults.spec import OnRequests

__all__ = ["Malformed"]


class Malformed(OnRequests):
    """Requests that are answered with garbage."""

    kind: ClassVar[str] = "malformed"

    how: Literal["http", "json"] = Field(
        default="http", description="http: bytes that are no response; json: a 200 whose body is cut off"
    )

    def params(self) -> dict[str, Any]:
        return {"how": self.how}
