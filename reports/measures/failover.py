"""failover, failover_rate: how long a fault interrupted calls; the share of calls that met one and ended ok."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from reports.history.encounters import Encounter
from reports.history.evidence import Evidence, Scope
from reports.history.unseen import UnseenCall, unseen_calls, unseen_limit
from reports.measures.latency import statistic
from reports.measures.measurement import Measurement, bounded, fact, not_measured, proportion, unknown_hits

__all__ = ["failover", "failover_rate"]


def failover(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Seconds, of interrupted calls: last good token before -> first good token after; infinite without one."""
    if (why := _why_not_measured(evidence)) is not None:
        return not_measured(why)
    return _noted(evidence, _failover(evidence, stat))


def _failover(evidence: Evidence, stat: str) -> Measurement:
    met = _met(evidence)
    hit = [encounter for encounter in met if encounter.interrupted]
    unseen = unseen_calls(evidence)
    if not hit:
        if stat == "max" and (met or unseen):
            return _bounded(evidence, fact(0.0, 0), unseen, stat)  # calls met the fault and none was interrupted
        return not_measured("no call was interrupted by a fault" if met else "no call met a fault")
    values = np.array([encounter.failover_s for encounter in hit])
    return _bounded(evidence, statistic(evidence, values, _sessions(evidence, hit), stat), unseen, stat)


def failover_rate(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Calls that met a fault and ended ok / calls that met a fault."""
    if (why := _why_not_measured(evidence)) is not None:
        return not_measured(why)
    return _noted(evidence, _failover_rate(evidence))


def _failover_rate(evidence: Evidence) -> Measurement:
    met = _met(evidence)
    size = max(1, len(evidence.calls.sessions))
    sessions = _sessions(evidence, met)
    offered = np.bincount(sessions, minlength=size).astype(np.float64)
    saved = np.bincount(sessions, weights=[float(e.saved) for e in met], minlength=size).astype(np.float64)
    found = proportion(saved, offered, lambda: evidence.resampling.ratio(saved, offered))
    unseen = unseen_calls(evidence)
    if not unseen:
        return found
    limit = unseen_limit(evidence)
    lost = min(limit, sum(math.isinf(one.failover_s) for one in unseen))
    more = min(limit, sum(math.isfinite(one.failover_s) for one in unseen))
    known, whole = float(saved.sum()), float(offered.sum())
    low = known / (whole + lost) if whole + lost else 0.0
    high = (known + more) / (whole + more) if whole + more else 1.0
    return bounded(found, _note(evidence, unseen), low=low, high=high)


def _bounded(evidence: Evidence, found: Measurement, unseen: list[UnseenCall], stat: str) -> Measurement:
    """Its interval includes how long calls may have been interrupted that nobody saw meet the fault."""
    longest_s = max((one.failover_s for one in unseen), default=0.0)
    if not unseen or found.value is None or (stat == "max" and longest_s <= found.value):
        return found
    return bounded(found, _note(evidence, unseen), low=found.value if stat == "max" else 0.0, high=longest_s)


def _noted(evidence: Evidence, found: Measurement) -> Measurement:
    """With the faults in its note whose calls are not in it, because nobody knows which met them."""
    unknown = unknown_hits(evidence)
    if unknown is None or found.value is None:
        return found
    return replace(found, note="; ".join(filter(None, [found.note, unknown])))


def _note(evidence: Evidence, unseen: list[UnseenCall]) -> str:
    lost = sum(math.isinf(one.failover_s) for one in unseen)
    failed = f", of which {lost} failed" if lost else ""
    limit = unseen_limit(evidence)
    some = "some" if math.isinf(limit) or limit >= len(unseen) else f"up to {limit:.0f}"
    return f"dead replicas may have refused {some} of {len(unseen)} more calls unseen{failed}"


def _why_not_measured(evidence: Evidence) -> str | None:
    if not any(impact.injected for impact in evidence.impacts):
        return "no fault was injected"
    if not evidence.calls.sees_upstream:
        return "no gateway and no replica of ours reports where a call was served"
    if not any(impact.injected and impact.hits_are_known for impact in evidence.impacts):
        return unknown_hits(evidence)
    return None


def _met(evidence: Evidence) -> list[Encounter]:
    return [encounter for impact in evidence.impacts for encounter in impact.encounters]


def _sessions(evidence: Evidence, encounters: list[Encounter]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    number = {session.id: index for index, session in enumerate(evidence.calls.sessions)}
    return np.array([number[encounter.call.session] for encounter in encounters], dtype=np.int64)
