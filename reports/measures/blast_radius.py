"""blast_radius: the share of sessions, tenants and pools that the faults affected.

sessions, tenants                  of those with a call in baseline, fault or recovery: share with a call that met a
                                   fault
failed_sessions, failed_tenants    of the same: share with a lost session whose failed call had met a fault
pools                              of all pools: share with an attempt that met a fault
"""

from __future__ import annotations

import math

from reports.history.evidence import RUN_SCOPE, Evidence, Scope
from reports.history.unseen import refusing, unseen_calls, unseen_limit
from reports.measures.measurement import Measurement, bounded, fact, not_measured, unknown_hits
from reports.shared.attributes import SessionOutcome

__all__ = ["blast_radius"]


def blast_radius(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """A share, exact."""
    if not any(impact.injected for impact in evidence.impacts):
        return not_measured("no fault was injected")
    if not evidence.calls.sees_upstream:
        return not_measured("no gateway and no replica of ours reports where a call was served")
    if (unknown := unknown_hits(evidence)) is not None:
        return not_measured(unknown)
    encounters = [encounter for impact in evidence.impacts for encounter in impact.encounters]
    if stat == "pools":
        pools = {replica.pool for replica in evidence.record.replicas} | {
            c.pool for c in evidence.calls.calls if c.pool
        }
        pool_of = {replica.name: replica.pool for replica in evidence.record.replicas}
        if not pools:
            return not_measured("no pool is known")
        touched = {pool_of.get(encounter.from_replica, encounter.call.pool) for encounter in encounters} & pools
        gone = {pool_of.get(name, "") for name in refusing(evidence)} & pools
        return _share(len(touched), len(pools), len(touched | gone))
    failed = stat.startswith("failed_")
    sessions = {session.id: session for session in evidence.sessions(RUN_SCOPE)}
    met = {e.call.session for e in encounters if not failed or not e.saved}
    if failed:
        met = {name for name in met if name in sessions and sessions[name].outcome == SessionOutcome.LOST}
    unseen = unseen_calls(evidence)
    may = met | {one.call.session for one in unseen if not failed or math.isinf(one.failover_s)}
    if failed:
        may = {name for name in may if name in sessions and sessions[name].outcome == SessionOutcome.LOST}
    if stat.endswith("sessions"):
        found, most = (len(names & sessions.keys()) for names in (met, may))
        return _share(found, len(sessions), round(min(most, found + unseen_limit(evidence))))
    tenants = {session.tenant for session in sessions.values()}
    found, most = (len({sessions[name].tenant for name in names & sessions.keys()}) for names in (met, may))
    return _share(found, len(tenants), round(min(most, found + unseen_limit(evidence))))


def _share(part: int, whole: int, most: int) -> Measurement:
    """`most`: as many, if every call met the fault that a dead replica may have refused unseen."""
    if not whole:
        return not_measured("no session was started")
    found = fact(part / whole, whole)
    note = "at least: calls that a dead replica may have refused unseen are not in it"
    return bounded(found, note, high=most / whole) if most > part else found
