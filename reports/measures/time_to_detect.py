"""time_to_detect: injection to the first reaction of the gateway to a faulted replica.

A reaction is an ejection or an opened breaker of a faulted replica, or an attempt elsewhere after one at it. Without
spans of a gateway: the first call that met the fault and was served by another replica. With several faults, the
slowest counts. Faults of the load or of the gateway itself are left out: no replica is to be noticed.
"""

from __future__ import annotations

import math

from reports.history.encounters import FaultImpact
from reports.history.evidence import Evidence, Scope
from reports.measures.measurement import Measurement, fact, not_measured
from reports.shared import attributes as names
from reports.shared.attributes import Transition

__all__ = ["detection", "time_to_detect"]

_REACTIONS = frozenset({Transition.EJECTED, Transition.BREAKER_OPEN})


def time_to_detect(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """Seconds; infinite if nothing reacted before the run ended."""
    injected = [impact for impact in evidence.impacts if impact.injected]
    if not injected:
        return not_measured("no fault was injected")
    injected = [impact for impact in injected if impact.on_replicas]
    if not injected:
        return not_measured("no fault was on a replica")
    if not (evidence.calls.has_gateway or evidence.calls.has_replicas):
        return not_measured("neither a gateway nor replicas of ours say where a call went")
    return fact(max(detection(evidence, impact)[0] for impact in injected), len(injected))


def detection(evidence: Evidence, impact: FaultImpact) -> tuple[float, str]:
    """Seconds from the injection to the first reaction, and what it was."""
    fault = impact.fault
    if fault.injected_s is None:
        return math.inf, ""
    found: list[tuple[float, str]] = []
    for span in evidence.calls.transitions:
        at = evidence.record.seconds(span.start_ns)
        its = span.attributes
        if (
            at >= fault.injected_s
            and its.get(names.REPLICA) in fault.targets
            and its.get(names.TRANSITION) in _REACTIONS
        ):
            found.append((at - fault.injected_s, f"{its[names.TRANSITION]} {its[names.REPLICA]}"))
            break
    for call in evidence.calls.calls:
        if call.end_s < fault.injected_s or len(call.attempts) < 2:
            continue
        for before, after in zip(call.attempts, call.attempts[1:], strict=False):
            left = (
                before.replica in fault.targets and before.end_s >= fault.injected_s and after.replica != before.replica
            )
            if left and after.start_s >= fault.injected_s:
                found.append(
                    (after.start_s - fault.injected_s, f"{after.reason} from {before.replica} to {after.replica}")
                )
    if not evidence.calls.has_gateway:
        found += [
            (e.call.end_s - fault.injected_s, f"served by {e.call.replica}")
            for e in impact.encounters
            if e.saved and e.call.replica not in fault.targets
        ]
    return min(found, default=(math.inf, ""))
