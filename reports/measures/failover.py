"""failover, failover_rate: how long a fault interrupted calls; the share of calls that met one and ended ok."""

from __future__ import annotations

import numpy as np

from reports.history.encounters import Encounter
from reports.history.evidence import Evidence, Scope
from reports.measures.latency import statistic
from reports.measures.measurement import Measurement, fact, not_measured, proportion, unknown_hits

__all__ = ["failover", "failover_rate"]


def failover(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Seconds, of interrupted calls: last good token before -> first good token after; infinite without one."""
    if (why := _why_not_measured(evidence)) is not None:
        return not_measured(why)
    met = _met(evidence)
    hit = [encounter for encounter in met if encounter.interrupted]
    if not hit:
        if stat == "max" and met:
            return fact(0.0, 0)  # calls met the fault and none was interrupted
        return not_measured("no call was interrupted by a fault" if met else "no call met a fault")
    values = np.array([encounter.failover_s for encounter in hit])
    return statistic(evidence, values, _sessions(evidence, hit), stat)


def failover_rate(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Calls that met a fault and ended ok / calls that met a fault."""
    if (why := _why_not_measured(evidence)) is not None:
        return not_measured(why)
    met = _met(evidence)
    size = max(1, len(evidence.calls.sessions))
    sessions = _sessions(evidence, met)
    offered = np.bincount(sessions, minlength=size).astype(np.float64)
    saved = np.bincount(sessions, weights=[float(e.saved) for e in met], minlength=size).astype(np.float64)
    return proportion(saved, offered, lambda: evidence.resampling.ratio(saved, offered))


def _why_not_measured(evidence: Evidence) -> str | None:
    if not any(impact.injected for impact in evidence.impacts):
        return "no fault was injected"
    if not (evidence.calls.has_gateway or evidence.calls.has_replicas):
        return "no gateway and no replica of ours reports where a call was served"
    if not any(impact.injected and impact.hits_are_known for impact in evidence.impacts):
        return unknown_hits(evidence)
    return None


def _met(evidence: Evidence) -> list[Encounter]:
    return [encounter for impact in evidence.impacts for encounter in impact.encounters]


def _sessions(evidence: Evidence, encounters: list[Encounter]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    number = {session.id: index for index, session in enumerate(evidence.calls.sessions)}
    return np.array([number[encounter.call.session] for encounter in encounters], dtype=np.int64)
