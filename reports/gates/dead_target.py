"""Finds a target that died by itself during the run: a failure of the target, not a result of the experiment.

It died if, from a moment on and until the end of the load, no attempt of the client got a byte of a response: each
connection was refused, or closed before the response, or the host name could not be resolved. These are no such target:

- one that answers again later, or answers with an error (a status, also 5xx, is a response);
- one that does not answer in time: it may be overloaded, which is a result;
- one that died while a fault was active or soon after it: the fault may be the reason, which is a result, too.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from reports.history.calls import ClientAttempt
from reports.history.evidence import Evidence
from reports.record.entries import FaultRecord
from reports.shared import attributes as names
from reports.shared.attributes import Outcome
from reports.shared.wording import number_text

__all__ = ["AFTER_FAULT_S", "MIN_CALLS", "MIN_DEAD_S", "DeadTarget", "dead_target"]

MIN_CALLS: Final = 5
"""Calls that must have failed without a response."""
MIN_DEAD_S: Final = 3.0
"""Seconds from the first to the last of their attempts, at least."""
AFTER_FAULT_S: Final = 10.0
"""A fault may be the reason until this many seconds after its revert."""

_NO_RESPONSE: Final = {
    Outcome.REFUSED: "the connection was refused",
    Outcome.RESET: "the connection was closed before the response",
}


@dataclass(frozen=True, slots=True)
class DeadTarget:
    """`since_s`, `until_s`: first and last attempt without a response, seconds since zero. `calls`: how many calls made
    them. `words`: the most frequent reason of such an attempt."""

    since_s: float
    until_s: float
    calls: int
    words: str

    def __str__(self) -> str:
        since, until = number_text(round(self.since_s, 1)), number_text(round(self.until_s, 1))
        return (
            f"the target died during the run: from second {since} to the end of the load (second {until}), none of "
            f"{number_text(self.calls)} calls got a response\n"
            f"    {self.words}\n"
            "    no fault of the experiment explains it\n"
            "    what helps: the log of the target says why it ended; start it again, then run again"
        )


def dead_target(evidence: Evidence) -> DeadTarget | None:
    """How the target died by itself; None if it did not."""
    attempts = [(attempt, call) for call in evidence.calls.calls for attempt in call.client_attempts]
    alive_s = max((_alive_s(attempt) for attempt, _ in attempts), default=-math.inf)
    dead = [(attempt, call) for attempt, call in attempts if _is_dead(attempt) and attempt.start_s >= alive_s]
    calls = {id(call) for _, call in dead}
    if len(calls) < MIN_CALLS:
        return None
    since_s = min(attempt.start_s for attempt, _ in dead)
    until_s = max(attempt.start_s for attempt, _ in dead)
    if until_s - since_s < MIN_DEAD_S or _explained(evidence.record.faults, alive_s, since_s):
        return None
    return DeadTarget(since_s, until_s, len(calls), _words(attempt for attempt, _ in dead))


def _is_dead(attempt: ClientAttempt) -> bool:
    return attempt.outcome in _NO_RESPONSE


def _alive_s(attempt: ClientAttempt) -> float:
    """The last time at which the target may have been alive, as this attempt shows it; -inf: it does not show any."""
    if _is_dead(attempt):
        return -math.inf
    last_token_s = max((at_s for at_s, _ in attempt.chunks), default=-math.inf)
    if attempt.outcome == Outcome.ABANDONED:  # the load generator ended it, so that its end says nothing
        return max(last_token_s, attempt.start_s if names.HTTP_STATUS in attempt.span.attributes else -math.inf)
    if attempt.outcome in (Outcome.TIMEOUT, Outcome.STALLED):
        return max(last_token_s, attempt.start_s)
    return attempt.end_s


def _explained(faults: Iterable[FaultRecord], alive_s: float, since_s: float) -> bool:
    """Whether a fault was active, or had just been reverted, when the target died: between `alive_s` and `since_s`."""
    for fault in faults:
        over_s = fault.stages.get("verified", fault.reverted_s)
        end_s = math.inf if over_s is None else over_s + AFTER_FAULT_S
        if fault.injected_s is not None and fault.injected_s <= since_s and max(alive_s, 0.0) <= end_s:
            return True
    return False


def _words(attempts: Iterable[ClientAttempt]) -> str:
    said = Counter(_said(attempt) for attempt in attempts)
    return said.most_common(1)[0][0]


def _said(attempt: ClientAttempt) -> str:
    text, message = _NO_RESPONSE[Outcome(attempt.outcome)], attempt.span.attributes.get(names.ERROR_MESSAGE)
    return f"{text}: {message}" if message else text
