"""itl: gaps between chunks that carry tokens, each divided by the tokens of the chunk that ends it. From the chunk
logs.
"""

from __future__ import annotations

import itertools

import numpy as np

from reports.evidence import Evidence, Scope
from reports.measures.latency import statistic
from reports.measures.measurement import Measurement, not_measured

__all__ = ["itl"]


def itl(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """A percentile over all gaps of the scope's calls."""
    if not evidence.calls.has_chunks:
        return not_measured("the client wrote no log of chunks")
    gaps: list[float] = []
    sessions: list[int] = []
    mask = evidence.mask(scope)
    for index in np.flatnonzero(mask):
        for attempt in evidence.calls.calls[index].client_attempts:
            chunks = attempt.chunks
            before = len(gaps)
            gaps.extend((after[0] - at[0]) / after[1] for at, after in itertools.pairwise(chunks) if after[1])
            sessions.extend([int(evidence.columns.session[index])] * (len(gaps) - before))
    return statistic(evidence, np.array(gaps), np.array(sessions, dtype=np.int64), stat)
