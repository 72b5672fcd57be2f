"""cold_cache_tail: the prefill repeated because sessions moved away from their prefix cache, and for how long.

tokens    prefill tokens computed in fault and recovery, beyond the baseline's prefill amplification:
          sum(computed) - amplification x sum(needed once), at least 0
seconds   first injection -> start of the first window of 5 s (one begins each 0.1 s) from which the hit ratio (prompt
          tokens found cached / prompt tokens, by the time the call was sent) stays at or above the baseline's - 10
          points to the end of the recovery; infinite if it does not
"""

from __future__ import annotations

import math

import numpy as np

from reports.history.evidence import Evidence, Scope
from reports.history.windows import recovered_at
from reports.history.work import work_of
from reports.measures.measurement import Measurement, fact, not_measured
from reports.shared import attributes as names
from reports.shared.thresholds import WINDOW_S
from reports.shared.wording import SEE_WINDOWS

__all__ = ["cold_cache_tail"]

_BAND = 0.10
"""How far below the baseline's hit ratio counts as recovered."""


def cold_cache_tail(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Tokens or seconds."""
    injected = [impact.fault.injected_s for impact in evidence.impacts if impact.fault.injected_s is not None]
    if not injected:
        return not_measured("no fault was injected")
    if evidence.record.repeats("baseline", "fault", "recovery"):
        return not_measured(SEE_WINDOWS)
    if not evidence.calls.has_replicas:
        return not_measured("no replica of ours reports its cache hits")
    baseline = evidence.mask(Scope("baseline"))
    return _tokens(evidence, baseline) if stat == "tokens" else _seconds(evidence, baseline, min(injected))


def _tokens(evidence: Evidence, baseline: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Measurement:
    work = work_of(evidence)
    if work.needed[baseline].sum() <= 0:
        return not_measured("no call of the baseline needed a prefill")
    usual = work.computed[baseline].sum() / work.needed[baseline].sum()
    after = evidence.mask(Scope("fault")) | evidence.mask(Scope("recovery"))
    excess = work.computed[after].sum() - usual * work.needed[after].sum()
    return fact(round(max(0.0, float(excess))), int(after.sum()))


def _seconds(evidence: Evidence, baseline: np.ndarray[tuple[int], np.dtype[np.bool_]], begin: float) -> Measurement:
    recovery = evidence.record.phase("recovery")
    if recovery is None:
        return not_measured("the record ends before the recovery began")
    if recovery.end_s - begin < WINDOW_S:
        return not_measured(f"less than {WINDOW_S:g} s between the injection and the end of the recovery")
    calls = evidence.calls.calls
    cached = np.array(
        [sum(int(r.span.attributes.get(names.PREFILL_CACHED, 0)) for r in call.replica_requests) for call in calls],
        dtype=np.float64,
    )
    prompts = np.array([sum(r.prompt_tokens or 0 for r in call.replica_requests) for call in calls], dtype=np.float64)
    if prompts[baseline].sum() <= 0:
        return not_measured("no replica of ours received a prompt in the baseline")
    least = float(cached[baseline].sum() / prompts[baseline].sum()) - _BAND
    at = recovered_at(evidence.columns.sent, cached, prompts, least, begin, recovery.end_s)
    return fact(math.inf if at is None else at - begin)
