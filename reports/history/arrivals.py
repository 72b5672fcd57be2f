"""When the tokens of each call reached the client, by phase: from the client's chunk logs.

A stream that lasts 20 s brings its tokens in every phase that it passes through. Counted where the call was sent, the
longest calls of a phase would move their tokens into it from the next one.
"""

from __future__ import annotations

import math

import numpy as np

from reports.history.calls import Call
from reports.history.evidence import Evidence
from reports.history.statistics import FloatArray

__all__ = ["tokens_arrived"]


def tokens_arrived(evidence: Evidence, phases: tuple[str, ...]) -> FloatArray:
    """Of each call of the run: how many of its tokens arrived in these phases. Computed once per phase, cached."""
    per_phase = [_of_phase(evidence, name) for name in phases]
    return np.sum(per_phase, axis=0) if per_phase else np.zeros(evidence.columns.sent.size)


def _of_phase(evidence: Evidence, name: str) -> FloatArray:
    cached = evidence.cache.get(f"arrivals {name}")
    if isinstance(cached, np.ndarray):
        return cached
    spans = [(phase.start_s, phase.end_s) for phase in evidence.record.phases if phase.name == name]
    calls = evidence.calls.calls
    found = np.array([sum(_arrived(call, begin, end) for begin, end in spans) for call in calls], dtype=np.float64)
    evidence.cache[f"arrivals {name}"] = found
    return found


def _arrived(call: Call, begin: float, end: float) -> float:
    """The call's tokens that arrived in [begin, end).

    Without a chunk log they are spread evenly over the time from the first token to the end of the call.
    """
    if not call.tokens or call.end_s < begin or call.sent_s >= end:
        return 0.0
    chunks = call.client_attempts[-1].chunks if call.client_attempts else []
    logged = sum(tokens for _, tokens in chunks)
    if not logged:
        first = call.sent_s + call.ttft_s if math.isfinite(call.ttft_s) else call.end_s
        return call.tokens * _overlap(first, call.end_s, begin, end)
    within = sum(tokens for at, tokens in chunks if begin <= at < end)
    return call.tokens * within / logged


def _overlap(first: float, last: float, begin: float, end: float) -> float:
    """The share of [first, last] within [begin, end)."""
    if last <= first:
        return float(begin <= first < end)
    return max(0.0, min(last, end) - max(first, begin)) / (last - first)
