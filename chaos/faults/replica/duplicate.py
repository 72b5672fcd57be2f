"""`duplicate`: a token of a stream is sent twice."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.spec import OnStreams

__all__ = ["Duplicate"]


class Duplicate(OnStreams):
    """A token of a stream is sent twice."""

    kind: ClassVar[str] = "duplicate"

    after_tokens: int = Field(default=1, ge=1, description="tokens sent; then the last of them is sent again")

    def params(self) -> dict[str, Any]:
        return {"after_tokens": self.after_tokens}
