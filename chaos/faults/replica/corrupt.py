"""`corrupt`: one event of a stream is broken, and the stream goes on as if nothing were."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from chaos.faults.spec import OnStreams

__all__ = ["Corrupt"]


class Corrupt(OnStreams):
    """Streams with a broken line."""

    kind: ClassVar[str] = "corrupt"

    how: Literal["data", "line"] = Field(
        default="data", description="data: what the event carries is no JSON; line: it begins with no field's name"
    )
    after_tokens: int = Field(default=0, ge=0, description="tokens sent before it")

    def params(self) -> dict[str, Any]:
        return {"after_tokens": self.after_tokens, "how": self.how}
