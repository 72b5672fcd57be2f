"""The times in which a replica's process was gone: in a fault that ends it, after a crash, in a restart by hand."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from reports.history.encounters import FaultImpact
from reports.history.evidence import Evidence
from reports.record.entries import Phase, ProcessExit

__all__ = ["DeadTime", "dead_times", "mortal"]

_INJECTED_LATE_S: Final = 1.0
"""A fault may be recorded as injected this much after its targets have ended, seconds."""
_CLOCKS_S: Final = 0.25
"""The clocks of processes differ by at most this, seconds."""


@dataclass(frozen=True, slots=True)
class DeadTime:
    """A time in which a replica's process was gone. `until_s`: what was counted later belongs to the next such time."""

    begin_s: float
    end_s: float
    until_s: float


def dead_times(evidence: Evidence, phases: Iterable[Phase]) -> list[DeadTime]:
    """When a replica's process was gone within these phases, behind a gateway without spans; merged, in order."""
    calls = evidence.calls
    if calls.has_gateway or not calls.has_replicas:
        return []
    merged: list[tuple[float, float]] = []
    for begin_s, end_s in sorted((begin_s, end_s) for _, begin_s, end_s in _deaths(evidence)):
        if merged and begin_s <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end_s, merged[-1][1]))
        else:
            merged.append((begin_s, end_s))
    found = []
    for index, (begin_s, end_s) in enumerate(merged):
        next_s = merged[index + 1][0] if index + 1 < len(merged) else math.inf
        for phase in phases:
            first_s, last_s = max(begin_s, phase.start_s), min(end_s, phase.end_s)
            if first_s < last_s:
                found.append(DeadTime(first_s, last_s, next_s if last_s == end_s else last_s))
    return found


def mortal(evidence: Evidence) -> frozenset[str]:
    """The replicas whose process was gone during a phase of the run."""
    phases = evidence.record.phases
    return frozenset(
        name
        for name, begin_s, end_s in _deaths(evidence)
        if any(begin_s < phase.end_s and end_s > phase.start_s for phase in phases)
    )


def _deaths(evidence: Evidence) -> Iterator[tuple[str, float, float]]:
    """Each replica that was gone, from when to when."""
    by_fault = [
        (name, *_of_fault(evidence, impact))
        for impact in evidence.impacts
        if _ends_processes(impact)
        for name in impact.fault.targets
    ]
    yield from by_fault
    replicas = {replica.name for replica in evidence.record.replicas}
    for exit_ in evidence.record.exits:
        if exit_.name in replicas and not any(_is_of(exit_, *one) for one in by_fault):
            yield exit_.name, exit_.at_s, _back_s(evidence, exit_)


def _ends_processes(impact: FaultImpact) -> bool:
    """Whether its targets refuse connections while it is active: their processes are gone, not frozen."""
    traits = impact.fault.traits
    return impact.injected and impact.on_replicas and traits.stops_process and not traits.silences_calls


def _of_fault(evidence: Evidence, impact: FaultImpact) -> tuple[float, float]:
    fault = impact.fault
    over_s = fault.stages.get("verified", fault.reverted_s)
    assert fault.injected_s is not None
    return fault.injected_s, over_s if over_s is not None else evidence.record.end_s()


def _is_of(exit_: ProcessExit, name: str, begin_s: float, end_s: float) -> bool:
    """Whether a fault ended this process, so that the fault's own end says when it was back."""
    return exit_.name == name and begin_s - _INJECTED_LATE_S <= exit_.at_s <= end_s


def _back_s(evidence: Evidence, exit_: ProcessExit) -> float:
    """When the process was back: it said so, or a request reached it; else at the end of the record.

    A fault that starts it again has no `ready`: it is verified then.
    """
    record = evidence.record
    signs = [at_s for name, at_s in record.ready if name == exit_.name and at_s >= exit_.at_s]
    began = [record.seconds(line.at_ns) for line in record.requests if line.replica == exit_.name]
    signs += [at_s for at_s in began if at_s > exit_.at_s + _CLOCKS_S]
    return min(signs, default=record.end_s())
