"""Attempts that nobody of ours saw: behind a gateway that is not ours, a dead replica refuses them without a trace.

The kernel's count of refused connections bounds their number from above (`chaos.runner.refusals`). With it, what cannot
be known exactly becomes an interval. Without it there is no upper bound.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from reports.history.calls import Call
from reports.history.encounters import FaultImpact
from reports.history.evidence import Evidence
from reports.record.reader import Phase
from reports.shared.attributes import Outcome

__all__ = ["UNKNOWN", "UnseenCall", "unseen_attempts", "unseen_calls", "unseen_note"]

UNKNOWN: Final = math.inf
"""The number of unseen attempts has no upper bound."""

_LOOK_S: Final = 0.3
"""The count of refused connections may be this much late, seconds."""


@dataclass(frozen=True, slots=True)
class UnseenCall:
    """A call that a dead replica may have refused unseen. `failover_s`: its interruption at most, seconds."""

    call: Call
    failover_s: float


def unseen_attempts(evidence: Evidence, phases: Iterable[str]) -> float:
    """At most so many attempts in these phases were refused by dead replicas and seen by nobody; 0: there was none."""
    windows = [phase for phase in evidence.record.phases if phase.name in set(phases)]
    return sum(_refused_between(evidence, begin_s, end_s) for begin_s, end_s in _dead(evidence, windows))


def unseen_note(count: float) -> str:
    """What a value leaves out, in words."""
    if math.isinf(count):
        return "connections that dead replicas refused are not in it, and their number is not known"
    return f"up to {count:.0f} connections that dead replicas may have refused are not in it"


def unseen_calls(evidence: Evidence) -> list[UnseenCall]:
    """The calls that may have met a dead replica unseen: sent while one was dead, and not among those seen to meet it.

    Empty where no connection was refused. One that ended ok was interrupted for at most its time to first token; one
    that failed without reaching any replica never went on.
    """
    seen = {id(encounter.call) for impact in evidence.impacts for encounter in impact.encounters}
    found = []
    for begin_s, end_s in _dead(evidence, evidence.record.phases):
        if _refused_between(evidence, begin_s, end_s) == 0:
            continue
        for call in evidence.calls.calls:
            if id(call) in seen or not begin_s <= call.sent_s <= end_s or call.outcome == Outcome.ABANDONED:
                continue
            seen.add(id(call))
            if call.ok:
                found.append(UnseenCall(call, call.ttft_s))
            elif not _reached_last(call):
                found.append(UnseenCall(call, math.inf))
    return found


def _reached_last(call: Call) -> bool:
    """Whether the last attempt of the client reached a replica."""
    last = len(call.client_attempts) - 1
    return any(attempt.client_attempt >= last for attempt in call.attempts)


def _dead(evidence: Evidence, phases: Iterable[Phase]) -> list[tuple[float, float]]:
    """When a replica's process was gone within these phases, behind a gateway without spans; merged, in order."""
    calls = evidence.calls
    if calls.has_gateway or not calls.has_replicas:
        return []
    times = sorted(_gone(evidence, impact) for impact in evidence.impacts if _may_refuse(impact))
    merged: list[tuple[float, float]] = []
    for begin_s, end_s in times:
        if merged and begin_s <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end_s, merged[-1][1]))
        else:
            merged.append((begin_s, end_s))
    cut = [(max(begin, p.start_s), min(end, p.end_s)) for begin, end in merged for p in phases]
    return [(begin_s, end_s) for begin_s, end_s in cut if begin_s < end_s]


def _may_refuse(impact: FaultImpact) -> bool:
    """Whether its targets refuse connections while it is active: their processes are gone, not frozen."""
    traits = impact.fault.traits
    return impact.injected and impact.on_replicas and traits.stops_process and not traits.silences_calls


def _gone(evidence: Evidence, impact: FaultImpact) -> tuple[float, float]:
    fault = impact.fault
    over_s = fault.stages.get("verified", fault.reverted_s)
    assert fault.injected_s is not None
    return fault.injected_s, over_s if over_s is not None else evidence.record.end_s()


def _refused_between(evidence: Evidence, begin_s: float, end_s: float) -> float:
    """Connections refused in this time, without those of the load generators. Infinite where nobody counted."""
    counts = evidence.record.refused
    if not counts:
        return UNKNOWN
    before = max((count for at_s, count in counts if at_s <= begin_s), default=0)
    after = max((count for at_s, count in counts if at_s <= end_s + _LOOK_S), default=0)
    own = sum(
        attempt.outcome == Outcome.REFUSED and begin_s <= attempt.start_s <= end_s
        for call in evidence.calls.calls
        for attempt in call.client_attempts
    )
    return float(max(0, after - before - own))
