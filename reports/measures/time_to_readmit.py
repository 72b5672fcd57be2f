"""time_to_readmit: fault reverted to the first good call served by the replica that had the fault.

Measured until the call was sent to the replica. With several replicas or faults, the slowest counts.
"""

from __future__ import annotations

import math

from reports.history.encounters import FaultImpact
from reports.history.evidence import Evidence, Scope
from reports.measures.measurement import Measurement, fact, not_measured

__all__ = ["readmissions", "time_to_readmit"]


def time_to_readmit(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Seconds; infinite if a replica served no good call after the revert."""
    injected = [impact for impact in evidence.impacts if impact.injected and impact.on_replicas]
    if not injected:
        return not_measured("no fault was injected on a replica")
    if not evidence.calls.sees_upstream:
        return not_measured("no gateway and no replica of ours reports where a call was served")
    if any(impact.fault.reverted_s is None for impact in injected):
        return not_measured("the record ends before the last fault was reverted")
    times = [at for impact in injected for at in readmissions(evidence, impact).values()]
    return fact(max(times), len(times)) if times else not_measured("the fault has no target replica")


def readmissions(evidence: Evidence, impact: FaultImpact) -> dict[str, float]:
    """For each faulted replica: seconds from the revert until the first good call that it served was sent to it."""
    reverted = impact.fault.reverted_s
    times = dict.fromkeys(impact.fault.targets, math.inf)
    if reverted is None:
        return times
    for call in evidence.calls.calls:
        if not call.good or call.end_s < reverted:
            continue
        served = [(a.replica, a.start_s) for a in call.attempts if a.ok]
        served = served or [(r.replica, r.start_s) for r in call.replica_requests]
        for replica, at in served:
            if replica in times and at >= reverted:
                times[replica] = min(times[replica], at - reverted)
    return times
