"""shed, retry_after_honoured: whom the stack sent away with an honest word, and whether the word was true.

shed                   calls whose final outcome was `rate_limited` (429), or a 503 with a Retry-After
retry_after_honoured   of the client's attempts sent after the pause that the answer before them asked for: those that
                       got in, that is, were answered with a 2xx. An attempt sent earlier did not obey and says nothing
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from reports.history.calls import Call, ClientAttempt
from reports.history.evidence import BoolArray, Evidence, Scope
from reports.history.statistics import design_effect
from reports.measures.measurement import Measurement, fact, not_measured, proportion
from reports.shared import attributes as names
from reports.shared.attributes import Outcome

__all__ = ["retry_after_honoured", "shed", "shed_calls"]

_SLACK_S: Final = 0.05
"""A client that sleeps as long as it was told may wake this much earlier by the clock of the answer."""


def shed(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """A count of calls."""
    mask = evidence.mask(scope)
    return fact(int((mask & shed_calls(evidence)).sum()), int(mask.sum()))


def shed_calls(evidence: Evidence) -> BoolArray:
    """Which calls were shed, as a column."""
    return np.array([_was_shed(call) for call in evidence.calls.calls], dtype=np.bool_)


def retry_after_honoured(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """A share of the attempts that obeyed."""
    size = max(1, len(evidence.calls.sessions))
    obeyed, got_in = np.zeros(size), np.zeros(size)
    for index in np.flatnonzero(evidence.mask(scope)):
        for before, after in pairwise(evidence.calls.calls[index].client_attempts):
            asked_s = _asked_s(before)
            if asked_s is not None and after.start_s - before.end_s >= asked_s - _SLACK_S:
                obeyed[evidence.columns.session[index]] += 1
                got_in[evidence.columns.session[index]] += _got_in(after)
    if not obeyed.any():
        return not_measured("no client was asked for a pause and came back after it")
    return proportion(
        float(got_in.sum()),
        int(obeyed.sum()),
        int(np.count_nonzero(obeyed)),
        design_effect(got_in, obeyed),
        lambda: evidence.resampling.ratio(got_in, obeyed),
    )


def _was_shed(call: Call) -> bool:
    if call.outcome == Outcome.RATE_LIMITED:
        return True
    if call.outcome != Outcome.HTTP_5XX or not call.client_attempts:
        return False
    last = call.client_attempts[-1]
    return last.span.attributes.get(names.HTTP_STATUS) == 503 and _asked_s(last) is not None


def _asked_s(attempt: ClientAttempt) -> float | None:
    asked = attempt.span.attributes.get(names.RETRY_AFTER)
    return None if asked is None else float(asked)


def _got_in(attempt: ClientAttempt) -> bool:
    status = attempt.span.attributes.get(names.HTTP_STATUS)
    return attempt.outcome == Outcome.OK or (status is not None and 200 <= int(status) < 300)
