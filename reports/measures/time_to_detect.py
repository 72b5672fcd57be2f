"""time_to_detect: injection to the first reaction of the gateway to a faulted replica.

A reaction is an ejection or an opened breaker of a faulted replica, or an attempt elsewhere after one at it. Without
spans of a gateway: the first call that met the fault and was served by another replica. With several faults, the
slowest counts. Faults of the load or of the gateway itself are left out: they have no replica to be detected.

A client that tries again is no reaction of the gateway. The statistics of a real gateway are read twice a second: it
may have reacted that much earlier.
"""

from __future__ import annotations

import itertools
import math
from typing import Final

from reports.history.encounters import FaultImpact
from reports.history.evidence import Evidence, Scope
from reports.history.unseen import unseen_calls
from reports.measures.measurement import Measurement, bounded, fact, not_measured
from reports.record.entries import FaultRecord
from reports.shared import attributes as names
from reports.shared.attributes import Transition

__all__ = ["detection", "time_to_detect"]

_READ_EVERY_S: Final = 0.5
"""How often the statistics of a real gateway are read, seconds."""
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
    if not unseen_calls(evidence):
        return _as_read(evidence, found, injected)
    note = "at most: an attempt that a dead replica refused, and that went elsewhere, was seen by nobody"
    return bounded(found, note, low=0.0)


def _as_read(evidence: Evidence, found: Measurement, injected: list[FaultImpact]) -> Measurement:
    """With the time in its interval by which a reaction in the statistics of a real gateway may have been earlier."""
    if evidence.calls.has_gateway or found.value is None:
        return found
    earliest_s = max(_earliest_s(evidence, impact) for impact in injected)
    if earliest_s >= found.value:
        return found
    return bounded(found, "at most: the gateway's statistics are read twice a second", low=earliest_s)


def _earliest_s(evidence: Evidence, impact: FaultImpact) -> float:
    told = [max(0.0, seconds - _READ_EVERY_S) for seconds, _ in _transitions(evidence, impact.fault)]
    return min([*told, detection(evidence, impact)[0]])


def _transitions(evidence: Evidence, fault: FaultRecord) -> list[tuple[float, str]]:
    """The first time that the gateway took a faulted replica out, since the injection; none where it did not."""
    if fault.injected_s is None:
        return []
    for span in evidence.calls.transitions:
        at = evidence.record.seconds(span.start_ns)
        replica, transition = span.attributes.get(names.REPLICA), span.attributes.get(names.TRANSITION)
        if at >= fault.injected_s and replica in fault.targets and transition in _REACTIONS:
            return [(at - fault.injected_s, f"{transition} {replica}")]
    return []


def detection(evidence: Evidence, impact: FaultImpact) -> tuple[float, str]:
    """Seconds from the injection to the first reaction (infinite: none), and the reaction as text."""
    fault = impact.fault
    if fault.injected_s is None:
        return math.inf, ""
    found = _transitions(evidence, fault)
    for call in evidence.calls.calls:
        if call.end_s < fault.injected_s or len(call.attempts) < 2:
            continue
        for before, after in itertools.pairwise(call.attempts):
            if after.client_attempt != before.client_attempt:
                continue
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
            if e.saved and e.call.replica not in fault.targets and len(e.call.client_attempts) < 2
        ]
    return min(found, default=(math.inf, ""))
