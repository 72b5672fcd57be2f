"""`http_error`: an error status instead of an answer, at once; the engine never sees the request."""

from __future__ import annotations

from typing import Annotated

import msgspec

from targets.replica.behaviours.base import Behaviour, CannedAnswer

__all__ = ["HttpError"]


class HttpError(Behaviour, frozen=True, forbid_unknown_fields=True):
    """`status`, with a `Retry-After` of `retry_after_s` seconds and a `body`, each where given."""

    status: Annotated[int, msgspec.Meta(ge=400, le=599)] = 503
    retry_after_s: Annotated[float, msgspec.Meta(ge=0)] | None = None
    body: str | None = None

    def answer(self) -> CannedAnswer:
        """What the client gets."""
        return CannedAnswer(self.status, self.retry_after_s, self.body)
