"""cost: dollars for the hardware held; per 1,000 succeeded sessions; per million useful output tokens.

Each replica's price per hour x the time its hardware was held. Hardware of a process that was killed, frozen or
restarted is still held and paid for. Hardware that the provider reclaimed (fault `terminate`) is not, from the end of
its process to the start of the replacement. That of a reserve pool is held from its start to its end. Sessions and
useful tokens (of calls that ended ok) are those of the phases that were paid for: sessions by the phase in which they
started, calls by the phase in which they were sent. The dollars are a fact; in the intervals the number of sessions is
chance too.
"""

from __future__ import annotations

import math

import numpy as np

from reports.history.evidence import Evidence, Scope
from reports.history.statistics import FloatArray
from reports.measures.measurement import Measurement, fact, not_measured, resampled
from reports.record.reader import Record
from reports.shared.attributes import SessionOutcome

__all__ = ["cost", "dollars_by_pool"]


def dollars_by_pool(evidence: Evidence, scope: Scope) -> dict[str, float]:
    """US dollars for each pool's hardware over the scope's phases."""
    record = evidence.record
    phases = [(phase.start_s, phase.end_s) for phase in record.phases if phase.name in scope.phases]
    pools: dict[str, float] = {}
    for replica in record.replicas:
        if scope.where is None or scope.where == ("pool", replica.pool):
            reclaimed = _reclaimed(record, replica.name)
            from_s, to_s = record.held_s(replica.name)
            held = [(max(begin, from_s), min(end, to_s)) for begin, end in phases if begin < to_s and end > from_s]
            held_s = sum(end - begin - _overlap(reclaimed, begin, end) for begin, end in held)
            pools[replica.pool] = pools.get(replica.pool, 0.0) + replica.usd_per_hour * held_s / 3600
    return pools


def cost(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """US dollars."""
    pools = dollars_by_pool(evidence, scope)
    if not any(pools.values()):
        return not_measured("the stack has no prices")
    dollars = sum(pools.values())
    if stat == "":
        return fact(dollars, len(pools))
    if stat == "per_1k_sessions":
        if scope.where is not None:
            return not_measured("sessions are not assigned to one pool")
        succeeded = np.array(
            [s.phase in scope.phases and s.outcome == SessionOutcome.SUCCEEDED for s in evidence.calls.sessions],
            dtype=np.float64,
        )
        return _per(evidence, 1000 * dollars, succeeded) if succeeded.any() else not_measured("no session succeeded")
    useful = evidence.by_session(evidence.columns.tokens, evidence.mask(scope) & evidence.columns.ok)
    return _per(evidence, 1e6 * dollars, useful) if useful.any() else not_measured("no call that ended ok has tokens")


def _per(evidence: Evidence, dollars: float, useful: FloatArray) -> Measurement:
    total = float(useful.sum())

    def resamples() -> FloatArray:
        drawn = evidence.resampling.flows(useful)
        return np.divide(dollars, drawn, out=np.full_like(drawn, math.inf), where=drawn > 0)

    return resampled(dollars / total, int(total), int(np.count_nonzero(useful)), resamples)


def _reclaimed(record: Record, replica: str) -> list[tuple[float, float]]:
    """The spans in which the provider had reclaimed the replica's hardware: begin and end in seconds."""
    found = []
    for fault in record.faults:
        if not fault.traits.reclaims_hardware or fault.injected_s is None or replica not in fault.targets:
            continue
        back_s = fault.reverted_s if fault.reverted_s is not None else record.end_s()
        ends = [e.at_s for e in record.exits if e.name == replica and fault.injected_s <= e.at_s <= back_s]
        if ends:
            found.append((min(ends), back_s))
    return found


def _overlap(spans: list[tuple[float, float]], begin: float, end: float) -> float:
    return sum(max(0.0, min(end, over) - max(begin, at)) for at, over in spans)
