"""itl: gaps between chunks with tokens, each divided by the tokens of the chunk that ends it. From the chunk logs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from reports.history.evidence import Evidence, Scope
from reports.history.statistics import FloatArray, IntArray
from reports.measures.latency import statistic
from reports.measures.measurement import Measurement, not_measured

__all__ = ["itl"]


def itl(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Seconds; a percentile over all gaps of the scope's calls."""
    if not evidence.calls.has_chunks:
        return not_measured("the client wrote no chunk log")
    gaps, call_of = _gaps(evidence)
    within = evidence.mask(scope)[call_of]
    return statistic(evidence, gaps[within], evidence.columns.session[call_of[within]], stat)


def _gaps(evidence: Evidence) -> tuple[FloatArray, IntArray]:
    """All gaps of the run, and the index of the call of each. Computed once, cached in the evidence."""
    cached = evidence.cache.get("itl")
    if isinstance(cached, tuple):
        return cached
    gaps: list[float] = []
    counts: list[int] = []
    for call in evidence.calls.calls:
        before = len(gaps)
        for attempt in call.client_attempts:
            chunks = [(at, tokens) for at, tokens in attempt.chunks if tokens]
            gaps += [(after - at) / tokens for (at, _), (after, tokens) in pairwise(chunks)]
        counts.append(len(gaps) - before)
    found = np.array(gaps, dtype=np.float64), np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    evidence.cache["itl"] = found
    return found
