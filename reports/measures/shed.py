"""shed, retry_after_honoured: calls rejected to limit the load, and whether the retry after the pause is accepted.

shed                   calls whose final outcome was `rate_limited` (429), or a 503 with a Retry-After
retry_after_honoured   of the client's attempts sent after the pause that the previous response asked for (within
                       50 ms): those answered with a 2xx. Attempts sent earlier do not count
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from reports.history.calls import Call, ClientAttempt
from reports.history.evidence import BoolArray, Evidence, Scope
from reports.measures.measurement import Measurement, fact, not_measured, proportion
from reports.shared import attributes as names
from reports.shared.attributes import Outcome

__all__ = ["retry_after_honoured", "shed", "shed_calls"]

_SLACK_S: Final = 0.05
"""Tolerance of the pause, seconds: the timer of the client may fire this much early."""


def shed(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """A count of calls."""
    mask = evidence.mask(scope)
    return fact(int((mask & shed_calls(evidence)).sum()), int(mask.sum()))


def shed_calls(evidence: Evidence) -> BoolArray:
    """For each call of the run, whether it was shed."""
    return np.array([_was_shed(call) for call in evidence.calls.calls], dtype=np.bool_)


def retry_after_honoured(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Accepted attempts / attempts sent after the requested pause."""
    size = max(1, len(evidence.calls.sessions))
    paused, accepted = np.zeros(size), np.zeros(size)
    for index in np.flatnonzero(evidence.mask(scope)):
        for before, after in pairwise(evidence.calls.calls[index].client_attempts):
            pause_s = _requested_pause_s(before)
            if pause_s is not None and after.start_s - before.end_s >= pause_s - _SLACK_S:
                paused[evidence.columns.session[index]] += 1
                accepted[evidence.columns.session[index]] += _accepted(after)
    if not paused.any():
        return not_measured("no client retried after a requested pause")
    return proportion(accepted, paused, lambda: evidence.resampling.ratio(accepted, paused))


def _was_shed(call: Call) -> bool:
    if call.outcome == Outcome.RATE_LIMITED:
        return True
    if call.outcome != Outcome.HTTP_5XX or not call.client_attempts:
        return False
    last = call.client_attempts[-1]
    return last.span.attributes.get(names.HTTP_STATUS) == 503 and _requested_pause_s(last) is not None


def _requested_pause_s(attempt: ClientAttempt) -> float | None:
    pause_s = attempt.span.attributes.get(names.RETRY_AFTER)
    return None if pause_s is None else float(pause_s)


def _accepted(attempt: ClientAttempt) -> bool:
    status = attempt.span.attributes.get(names.HTTP_STATUS)
    return attempt.outcome == Outcome.OK or (status is not None and 200 <= int(status) < 300)
