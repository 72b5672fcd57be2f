"""`malformed`: the response is not HTTP, or is a 200 whose JSON body is cut off."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from chaos.faults.spec import OnRequests

__all__ = ["Malformed"]


class Malformed(OnRequests):
    """A request is answered with bytes that are not HTTP, or with a truncated JSON body."""

    kind: ClassVar[str] = "malformed"

    how: Literal["http", "json"] = Field(
        default="http", description="http: bytes that are not an HTTP response; json: a 200 whose body is cut off"
    )

    def params(self) -> dict[str, Any]:
        return {"how": self.how}
