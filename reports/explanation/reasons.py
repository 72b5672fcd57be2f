"""Why a call failed, as one line: the target's own words where it said something, else its outcome in words."""

from __future__ import annotations

import re
from typing import Final

from reports.history.calls import Call
from reports.shared import attributes as names
from reports.shared.attributes import Outcome

__all__ = ["OUTCOME_TEXTS", "kind_of_reason", "reason_of", "shortened", "status_of"]

OUTCOME_TEXTS: Final[dict[str, str]] = {
    Outcome.OK: "the call ended well",
    Outcome.ABANDONED: "the load generator ended the call",
    Outcome.REFUSED: "the connection was refused",
    Outcome.RESET: "the connection closed before the response",
    Outcome.TIMEOUT: "no response within the client's limit",
    Outcome.RATE_LIMITED: "rejected with status 429",
    Outcome.HTTP_4XX: "refused as a mistake of the client",
    Outcome.HTTP_5XX: "the server failed",
    Outcome.ERROR_EVENT: "an error inside the stream",
    Outcome.STALLED: "the stream went silent",
    Outcome.CORRUPT: "the answer was damaged",
    Outcome.TRUNCATED: "the answer ended early",
}
"""What each outcome means. Records of older versions have no other reason."""

_SHORT_CHARS: Final = 60
_VARIABLE: Final = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\b(?=[A-Za-z_-]*\d)[A-Za-z0-9_]*[-_][A-Za-z0-9_-]{6,}|\b0x[0-9a-fA-F]+|"
    r"\b(?=[a-f]*\d)[0-9a-f]{8,}\b|\d+(?:[.,:]\d+)*"
)
"""What differs between two reasons of the same kind: numbers, times, ids."""


def reason_of(call: Call) -> str:
    """Why the call failed."""
    said = str(call.span.attributes.get(names.ERROR_MESSAGE) or "")
    return said or OUTCOME_TEXTS.get(call.outcome, call.outcome)


def kind_of_reason(reason: str) -> str:
    """The reason without numbers and ids: equal for reasons of the same kind."""
    return _VARIABLE.sub("N", reason)


def shortened(reason: str) -> str:
    """The beginning of a reason, for a sentence."""
    return reason if len(reason) <= _SHORT_CHARS else reason[: _SHORT_CHARS - 3].rstrip() + "..."


def status_of(call: Call) -> int | None:
    """The HTTP status of the call's last attempt; None without a response."""
    status = call.span.attributes.get(names.HTTP_STATUS)
    if status is None and call.client_attempts:
        status = call.client_attempts[-1].span.attributes.get(names.HTTP_STATUS)
    return int(status) if status is not None else None
