"""`wrong_answer`: a stream continues with the tokens of another answer."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.spec import OnStreams

__all__ = ["WrongAnswer"]


class WrongAnswer(OnStreams):
    """A stream continues with the tokens of another answer."""

    kind: ClassVar[str] = "wrong_answer"

    after_tokens: int = Field(default=0, ge=0, description="tokens sent before the wrong ones")

    def params(self) -> dict[str, Any]:
        return {"after_tokens": self.after_tokens}
