"""`lying_health`: the health checks say 200, and nobody is served."""

from __future__ import annotations

from typing import ClassVar, Literal

from targets.replica.behaviours.base import Behaviour, CannedAnswer
from targets.replica.delivery.stream import AnswerStream

__all__ = ["LyingHealth"]


class LyingHealth(Behaviour, frozen=True, forbid_unknown_fields=True):
    """`how`: `silent` (no token of any stream, no answer to any request, connections open) or `failing` (every request
    is answered with a 500, every stream ends)."""

    whole_replica: ClassVar[bool] = True

    how: Literal["silent", "failing"] = "silent"

    @property
    def vouches(self) -> bool:
        """Also while the replica starts or drains."""
        return True

    @property
    def holds(self) -> bool:
        """New requests, where it is silent."""
        return self.how == "silent"

    def answer(self) -> CannedAnswer | None:
        """What new requests get, where it fails."""
        return CannedAnswer(500) if self.how == "failing" else None

    @property
    def after_tokens(self) -> int:
        """Streams under way are met where they are."""
        return 0

    def act(self, stream: AnswerStream, fault_id: str) -> None:
        """Silence the stream, or end it."""
        if self.how == "silent":
            stream.hold(fault_id)
        else:
            stream.cut("fin")
