"""What is recorded about one request, for its spans and the metrics."""

from __future__ import annotations

from dataclasses import dataclass, field

from reports.shared.attributes import Outcome
from targets.replica.api.conversation import ParsedRequest, PlannedAnswer
from targets.replica.behaviours.request_context import RequestContext
from targets.replica.delivery.job import Job

__all__ = ["ServedRequest", "outcome_of_status"]


@dataclass(slots=True)
class ServedRequest:
    """The record of one request, complete at its end. Times are the replica's monotonic seconds."""

    arrived: float
    context: RequestContext = field(default_factory=lambda: RequestContext(""))
    parsed: ParsedRequest | None = None
    answer: PlannedAnswer | None = None
    job: Job | None = None
    sent: int = 0  # tokens
    status: int | None = None  # None: no headers were sent
    outcome: Outcome = Outcome.ABANDONED
    ended: float = 0.0


def outcome_of_status(status: int) -> Outcome:
    """Returns the outcome of a request that was answered with `status`."""
    if status < 400:
        return Outcome.OK
    if status == 429:
        return Outcome.RATE_LIMITED
    return Outcome.HTTP_4XX if status < 500 else Outcome.HTTP_5XX
