"""wasted_tokens: decoded tokens that reached no client / decoded tokens.

Tokens of aborted attempts, decoded after the client left, or sent twice. Tokens of a call that failed in the end did
reach a client. See `reports.measures.work` for spans that died with their process.
"""

from __future__ import annotations

import numpy as np

from reports.history.evidence import Evidence, Scope
from reports.history.statistics import FloatArray
from reports.measures.measurement import Measurement, not_measured, resampled
from reports.measures.work import work_of
from reports.shared import attributes as names

__all__ = ["wasted_by_call", "wasted_tokens"]


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


def wasted_by_call(evidence: Evidence) -> tuple[FloatArray, FloatArray]:
    """Of each call of the run: tokens wasted, and tokens decoded."""
    duplicated = [int(call.span.attributes.get(names.TOKENS_DUPLICATED, 0)) for call in evidence.calls.calls]
    decoded = work_of(evidence).decoded
    delivered = np.maximum(0.0, evidence.columns.tokens - np.array(duplicated, dtype=np.float64))
    # a call whose replica span is missing was delivered more than is known to be decoded: nothing of it was wasted
    return np.maximum(0.0, decoded - delivered), np.maximum(decoded, delivered)
