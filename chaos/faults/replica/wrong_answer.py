"""`wrong_answer`: an answer goes on with the tokens of another one."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.spec import OnStreams

__all__ = ["WrongAnswer"]


class WrongAnswer(OnStreams):
    """Streams that go on with somebody else's answer."""

    kind: ClassVar[str] = "wrong_answer"

    after_tokens: int = Field(default=0, ge=0, description="tokens sent before it")

    def params(self) -> dict[str, Any]:
        return {"after_tokens": self.after_tokens}
