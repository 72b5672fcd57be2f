"""time_to_detect: injection to the first reaction of the gateway to a faulted replica.

A reaction is an ejection or an opened breaker of a faulted replica, or an attempt elsewhere after one at it. Without
spans of a gateway: the first call that met the fault and was served by another replica. With several faults, the
slowest counts. Faults of the load or of the gateway itself are left out: they have no replica to be detected.
"""

from __future__ import annotations

import math

from reports.history.encounters import FaultImpact
from reports.history.evidence import Evidence, Scope
from reports.history.unseen import unseen_calls
from reports.measures.measurement import Measurement, bounded, fact, not_measured
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
        return not_measured("no fault was injected on a replica")
    if not evidence.calls.sees_upstream:
        return not_measured("no gateway and no replica of ours reports where a call was served")
    found = fact(max(detection(evidence, impact)[0] for impact in injected), len(injected))
    unseen = unseen_calls(evidence)
    if not unseen:
        return found
    note = "at most: an attempt that a dead replica refused, and that went elsewhere, was seen by nobody"
    return bounded(found, note, low=0.0)


def detection(evidence: Evidence, impact: FaultImpact) -> tuple[float, str]:
    """Seconds from the injection to the first reaction (infinite: none), and the reaction as text."""
    fault = impact.fault
    if fault.injected_s is None:
        return math.inf, ""
    found: list[tuple[float, str]] = []
    for span in evidence.calls.transitions:
        at = evidence.record.seconds(span.start_ns)
        replica, transition = span.attributes.get(names.REPLICA), span.attributes.get(names.TRANSITION)
        if at >= fault.injected_s and replica in fault.targets and transition in _REACTIONS:
            found.append((at - fault.injected_s, f"{transition} {replica}"))
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
