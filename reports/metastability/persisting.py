"""What may keep a stack down: retries, wasted work and cache misses, each compared with the baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from reports.history.evidence import BoolArray, Evidence
from reports.history.intervals import bootstrap_interval
from reports.history.statistics import MIN_SESSIONS, FloatArray
from reports.history.work import attempts_by_call, wasted_by_call
from reports.shared import attributes as names

__all__ = ["Persisting", "find_persisting"]


@dataclass(frozen=True, slots=True)
class Persisting:
    """A quantity in the baseline and after the grace period.

    `worse`: the whole 95 % interval of the difference (bootstrap by session) is above 0.
    """

    what: str
    unit: Literal["x", "share"]
    baseline: float
    after: float
    worse: bool


def find_persisting(evidence: Evidence, baseline: BoolArray, after: BoolArray) -> tuple[Persisting, ...]:
    """Each quantity of the calls in `baseline` and of those in `after`; those without a value are left out."""
    ones = np.ones(baseline.size)
    calls = evidence.calls
    clients = np.array([max(1, len(call.client_attempts)) for call in calls.calls], dtype=np.float64)
    found = [_compared(evidence, "client attempts per call", "x", clients, ones, baseline, after)]
    if calls.sees_upstream:
        upstream = attempts_by_call(evidence)
        found.append(_compared(evidence, "upstream attempts per call", "x", upstream, ones, baseline, after))
    if calls.has_replicas:
        wasted, decoded = wasted_by_call(evidence)
        found.append(_compared(evidence, "wasted share of decoded tokens", "share", wasted, decoded, baseline, after))
        requests = [call.replica_requests for call in calls.calls]
        prompts = np.array([sum(r.prompt_tokens or 0 for r in own) for own in requests], dtype=np.float64)
        cached = np.array(
            [sum(int(r.span.attributes.get(names.PREFILL_CACHED, 0)) for r in own) for own in requests],
            dtype=np.float64,
        )
        missed = np.maximum(0.0, prompts - cached)
        found.append(_compared(evidence, "share of prompts not cached", "share", missed, prompts, baseline, after))
    return tuple(one for one in found if one is not None)


def _compared(
    evidence: Evidence,
    what: str,
    unit: Literal["x", "share"],
    part: FloatArray,
    whole: FloatArray,
    baseline: BoolArray,
    after: BoolArray,
) -> Persisting | None:
    """sum(part) / sum(whole) in the baseline and after the grace period; None where a denominator is 0."""
    sums = [(evidence.by_session(part, mask), evidence.by_session(whole, mask)) for mask in (baseline, after)]
    if any(denominator.sum() <= 0 for _, denominator in sums):
        return None
    before, now = (float(numerator.sum() / denominator.sum()) for numerator, denominator in sums)
    ratios = [evidence.resampling.ratio(numerator, denominator) for numerator, denominator in sums]
    sessions = min(int(np.count_nonzero(denominator)) for _, denominator in sums)
    low, _ = bootstrap_interval(ratios[1] - ratios[0], sessions - 1)
    return Persisting(what, unit, before, now, sessions >= MIN_SESSIONS and low > 0)
