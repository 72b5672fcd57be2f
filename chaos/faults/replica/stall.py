"""`stall`: a stream goes silent while its connection stays open, so that no connection error reports it."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.spec import OnStreams
from reports.shared.documents import Duration

__all__ = ["Stall"]


class Stall(OnStreams):
    """A stream goes silent after a number of tokens, with its connection open."""

    kind: ClassVar[str] = "stall"
    silences_calls: ClassVar[bool] = True
    kept_times: ClassVar[tuple[str, ...]] = ("for_",)

    after_tokens: int = Field(default=0, ge=0, description="tokens sent before the silence")
    for_: Duration | None = Field(
        default=None,
        alias="for",
        gt=0,
        description="how long a stream is silent, as 3s; as long as the fault lasts if absent",
    )

    def params(self) -> dict[str, Any]:
        return {"after_tokens": self.after_tokens, **({} if self.for_ is None else {"for_s": self.for_})}
