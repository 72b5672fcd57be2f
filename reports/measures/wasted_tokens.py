"""wasted_tokens: decoded tokens that reached no client / decoded tokens.

Tokens of aborted attempts, decoded after the client left, or sent twice. Tokens of a call that failed in the end did
reach a client. See `reports.history.work` for spans that died with their process.
"""

from __future__ import annotations

import numpy as np

from reports.history.evidence import Evidence, Scope
from reports.history.work import wasted_by_call
from reports.measures.measurement import Measurement, not_measured, resampled

__all__ = ["wasted_tokens"]


def wasted_tokens(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """A share of what was decoded."""
    if not evidence.calls.has_replicas:
        return not_measured("no replica of ours says what it decoded")
    mask = evidence.mask(scope)
    wasted, total = (evidence.by_session(tokens, mask) for tokens in wasted_by_call(evidence))
    if total.sum() <= 0:
        return not_measured("nothing was decoded")
    return resampled(
        float(wasted.sum() / total.sum()),
        int(mask.sum()),
        int(np.count_nonzero(total)),
        lambda: evidence.resampling.ratio(wasted, total),
    )
