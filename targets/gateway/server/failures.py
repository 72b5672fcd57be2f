"""Failed attempts: maps a deadline, an error status or a lost connection to an outcome and a reason.

`error_body(status, message)` makes an error body in the format of the request's API.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil

import aiohttp

from reports.shared.attributes import Outcome
from targets.gateway.api.headers import for_client, retry_after_s
from targets.gateway.policies.attempts.retries import GiveUp
from targets.gateway.routing.decisions import Reject
from targets.gateway.server.deadlines import AttemptDeadlines
from targets.gateway.server.retrying import ErrorResponse, RetryDecisionError

__all__ = [
    "AttemptError",
    "error_of_connection",
    "error_of_deadline",
    "error_of_reject",
    "error_of_status",
    "is_failure_status",
    "response_without_replica",
]

_JSON = {"Content-Type": "application/json"}


@dataclass(slots=True)
class AttemptError(Exception):
    """An attempt failed. `why`: the reason in words."""

    outcome: Outcome
    why: str
    connection_lost: bool = False
    response: ErrorResponse | None = None  # of the replica, for the client if no other attempt succeeds
    retry_after_s: float | None = None
    lost_race: bool = False  # another attempt of the same call had its first token sooner


def error_of_deadline(deadlines: AttemptDeadlines) -> AttemptError:
    """The error of an attempt that one of its deadlines interrupted."""
    if deadlines.expired == "evacuated":
        return AttemptError(
            Outcome.TIMEOUT, "evacuated: its replica is shut out and sends nothing", connection_lost=True
        )
    if deadlines.expired == "between tokens":
        return AttemptError(Outcome.STALLED, "timeout between tokens")
    if deadlines.writing_to_client:
        return AttemptError(Outcome.ABANDONED, "the client does not read")
    if deadlines.expired == "total":
        return AttemptError(Outcome.TIMEOUT, "the total timeout of the call expired")
    return AttemptError(Outcome.TIMEOUT, f"no token within {deadlines.attempt.first_token_s:.2f} s")


def is_failure_status(status: int) -> bool:
    """Whether another replica may do better: redirects, 429 and 5xx. Everything else goes to the client."""
    return 300 <= status < 400 or status == 429 or status >= 500


def error_of_status(status: int, body: bytes, headers: Mapping[str, str]) -> AttemptError:
    """The error of an attempt with a failure status."""
    if status < 400:
        return AttemptError(Outcome.CORRUPT, f"a redirect ({status}), which is not followed")
    outcome = Outcome.RATE_LIMITED if status == 429 else Outcome.HTTP_5XX
    response = ErrorResponse(status, body, for_client(headers))
    return AttemptError(outcome, f"HTTP {status}", response=response, retry_after_s=retry_after_s(headers))


def error_of_connection(error: BaseException, has_headers: bool) -> AttemptError:
    """The error of an attempt whose connection failed. `has_headers`: the response headers had arrived."""
    what = str(error) or type(error).__name__
    if isinstance(error, TimeoutError):
        return AttemptError(Outcome.TIMEOUT, f"no connection: {what}")
    if has_headers:
        return AttemptError(Outcome.TRUNCATED, f"connection lost: {what}", connection_lost=True)
    if isinstance(error, aiohttp.ClientConnectorError):
        return AttemptError(Outcome.REFUSED, f"no connection: {what}", connection_lost=True)
    return AttemptError(Outcome.RESET, f"connection lost before the response headers: {what}", connection_lost=True)


def error_of_reject(reject: Reject, error_body: Callable[[int, str], bytes]) -> RetryDecisionError:
    """The error of a call that no replica may take."""
    outcome = Outcome.RATE_LIMITED if reject.status == 429 else Outcome.HTTP_5XX
    headers = dict(_JSON)
    if reject.retry_after_s is not None:
        headers["Retry-After"] = f"{max(1, ceil(reject.retry_after_s))}"
    why = reject.decision.why
    body = error_body(reject.status, f"no replica is available: {why}")
    return RetryDecisionError(outcome, GiveUp(why), ErrorResponse(reject.status, body, headers), why)


def response_without_replica(failure: RetryDecisionError, error_body: Callable[[int, str], bytes]) -> ErrorResponse:
    """The gateway's own error response, where no replica sent one."""
    status = 504 if failure.outcome in (Outcome.TIMEOUT, Outcome.STALLED) else 502
    body = error_body(status, f"every attempt failed; the last one: {failure.why}")
    return ErrorResponse(status, body, dict(_JSON))
