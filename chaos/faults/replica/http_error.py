"""`http_error`: an error status instead of an answer, with a `Retry-After` header if one is given."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.spec import OnRequests
from reports.shared.documents import Duration

__all__ = ["HttpError"]


class HttpError(OnRequests):
    """A request is answered with an HTTP error status."""

    kind: ClassVar[str] = "http_error"
    kept_times: ClassVar[tuple[str, ...]] = ("retry_after",)

    status: int = Field(default=503, ge=400, le=599, description="the status, 400 to 599")
    retry_after: Duration | None = Field(default=None, description="value of the Retry-After header, as 2s")
    body: str | None = Field(default=None, max_length=10_000, description="the body, instead of the API's own error")

    def params(self) -> dict[str, Any]:
        given = {"status": self.status, "retry_after_s": self.retry_after, "body": self.body}
        return {key: value for key, value in given.items() if value is not None}
