"""`http_error`: an error status in place of an answer. The request never reaches the engine."""

from __future__ import annotations

from typing import Annotated

import msgspec

from targets.replica.behaviours.base import Behaviour, CannedAnswer

__all__ = ["HttpError"]


class HttpError(Behaviour, frozen=True, forbid_unknown_fields=True):
    """Answers with `status`, and with a `Retry-After` of `retry_after_s` seconds and a `body` if they are given."""

    status: Annotated[int, msgspec.Meta(ge=400, le=599)] = 503
    retry_after_s: Annotated[float, msgspec.Meta(ge=0)] | None = None
    body: str | None = None

    def answer(self) -> CannedAnswer:
        """The error response."""
        return CannedAnswer(self.status, self.retry_after_s, self.body)
