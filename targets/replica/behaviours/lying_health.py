"""`lying_health`: health checks answer 200, but no request is served."""

from __future__ import annotations

from typing import ClassVar, Literal

from targets.replica.behaviours.base import Behaviour, CannedAnswer
from targets.replica.delivery.stream import OutgoingStream

__all__ = ["LyingHealth"]


class LyingHealth(Behaviour, frozen=True, forbid_unknown_fields=True):
    """`how`: `silent` (streams send no tokens, requests get no answer, connections stay open) or `failing` (requests
    get a 500, streams are cut)."""

    whole_replica: ClassVar[bool] = True

    how: Literal["silent", "failing"] = "silent"

    @property
    def reports_healthy(self) -> bool:
        """Always, even while the replica starts or drains."""
        return True

    @property
    def holds(self) -> bool:
        """Holds new requests if `silent`."""
        return self.how == "silent"

    def answer(self) -> CannedAnswer | None:
        """Answers new requests if `failing`."""
        return CannedAnswer(500) if self.how == "failing" else None

    @property
    def after_tokens(self) -> int:
        """Acts on streams at once."""
        return 0

    def act(self, stream: OutgoingStream, fault_id: str) -> None:
        """Hold the stream if `silent`, else cut it."""
        if self.how == "silent":
            stream.hold(fault_id)
        else:
            stream.cut("fin")
