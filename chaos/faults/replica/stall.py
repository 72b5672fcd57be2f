"""`stall`: a stream falls silent, its connection open: the failure that no connection error tells of."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.spec import OnStreams
from reports.shared.documents import Duration

__all__ = ["Stall"]


class Stall(OnStreams):
    """Streams that fall silent after a number of tokens."""

    kind: ClassVar[str] = "stall"

    after_tokens: int = Field(default=0, ge=0, description="tokens sent before the silence")
    for_: Duration | None = Field(
        default=None,
        alias="for",
        gt=0,
        description="how long a stream is silent, as 3s; without it as long as the fault lasts",
    )

    def params(self) -> dict[str, Any]:
        return {"after_tokens": self.after_tokens, **({} if self.for_ is None else {"for_s": self.for_})}
