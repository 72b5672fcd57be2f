"""`cut`: a stream ends too early: by FIN, by RST, or with a clean end of the body and no terminal event."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from chaos.faults.spec import OnStreams

__all__ = ["Cut"]


class Cut(OnStreams):
    """A stream is cut after a number of tokens."""

    kind: ClassVar[str] = "cut"

    how: Literal["fin", "rst", "clean"] = Field(
        description="fin and rst close the connection mid-body; clean ends the body properly, without a terminal event"
    )
    after_tokens: int = Field(default=0, ge=0, description="tokens sent before the cut")

    def params(self) -> dict[str, Any]:
        return {"after_tokens": self.after_tokens, "how": self.how}
