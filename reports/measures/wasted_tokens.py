"""wasted_tokens: decoded tokens that reached no client / decoded tokens.

Tokens of aborted attempts, tokens decoded after the client left, and tokens sent twice. Tokens of a failed call that
reached the client are not wasted. `reports.history.work` estimates the work of spans lost with their process.
"""

from __future__ import annotations

import numpy as np

from reports.history.evidence import Evidence, Scope
from reports.history.intervals import worst_effect
from reports.history.work import wasted_by_call
from reports.measures.measurement import Measurement, Rare, not_measured, resampled

__all__ = ["wasted_tokens"]


def wasted_tokens(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """A share of the decoded tokens."""
    if not evidence.calls.has_replicas:
        return not_measured("no replica of ours reports its decoded tokens")
    mask = evidence.mask(scope)
    wasted, total = (evidence.by_session(tokens, mask) for tokens in wasted_by_call(evidence))
    if total.sum() <= 0:
        return not_measured("no token was decoded")
    sessions, decoded = int(np.count_nonzero(wasted)), float(total.sum())
    # Where nothing was wasted, a session is taken to waste all of its tokens.
    each = float(wasted.sum()) / sessions if sessions else worst_effect(total)
    return resampled(
        float(wasted.sum() / total.sum()),
        int(mask.sum()),
        int(np.count_nonzero(total)),
        lambda: evidence.resampling.ratio(wasted, total),
        Rare(sessions, 0.0, each / decoded),
    )
