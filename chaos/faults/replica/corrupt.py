"""`corrupt`: one event of a stream is corrupt, and the stream goes on."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from chaos.faults.spec import OnStreams

__all__ = ["Corrupt"]


class Corrupt(OnStreams):
    """One event of a stream is corrupt (invalid JSON or an invalid line), and the stream goes on."""

    kind: ClassVar[str] = "corrupt"

    how: Literal["data", "line"] = Field(
        default="data", description="data: the event's data is not valid JSON; line: the line has no field name"
    )
    after_tokens: int = Field(default=0, ge=0, description="tokens sent before the corrupt event")

    def params(self) -> dict[str, Any]:
        return {"after_tokens": self.after_tokens, "how": self.how}
