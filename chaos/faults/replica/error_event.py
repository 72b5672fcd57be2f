"""`error_event`: the status was 200, and in the middle of the answer comes an error."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.spec import OnStreams

__all__ = ["ErrorEvent"]


class ErrorEvent(OnStreams):
    """Streams that end with an error event."""

    kind: ClassVar[str] = "error_event"

    message: str = Field(
        default="The engine failed while it was answering.", max_length=1000, description="what the error says"
    )
    after_tokens: int = Field(default=0, ge=0, description="tokens sent before it")

    def params(self) -> dict[str, Any]:
        return {"after_tokens": self.after_tokens, "message": self.message}
