"""`error_event`: a stream with status 200 ends with an error event."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.spec import OnStreams

__all__ = ["ErrorEvent"]


class ErrorEvent(OnStreams):
    """A stream with status 200 ends with an error event in place of the rest of the answer."""

    kind: ClassVar[str] = "error_event"

    message: str = Field(
        default="The engine failed while it was answering.", max_length=1000, description="the error's message"
    )
    after_tokens: int = Field(default=0, ge=0, description="tokens sent before the error")

    def params(self) -> dict[str, Any]:
        return {"after_tokens": self.after_tokens, "message": self.message}
