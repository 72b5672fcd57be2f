"""blast_radius: the share of sessions, tenants and pools that the faults affected.

sessions, tenants                  of those with a call in baseline, fault or recovery: share with a call that met a
                                   fault
failed_sessions, failed_tenants    of the same: share with a lost session whose failed call had met a fault
pools                              of all pools: share with an attempt that met a fault
"""

from __future__ import annotations

from reports.history.evidence import RUN_SCOPE, Evidence, Scope
from reports.measures.measurement import Measurement, fact, not_measured, unknown_hits
from reports.shared.attributes import SessionOutcome

__all__ = ["blast_radius"]


def blast_radius(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """A share, exact."""
    if not any(impact.injected for impact in evidence.impacts):
        return not_measured("no fault was injected")
    if not (evidence.calls.has_gateway or evidence.calls.has_replicas):
        return not_measured("no gateway and no replica of ours reports where a call was served")
    if (unknown := unknown_hits(evidence)) is not None:
        return not_measured(unknown)
    encounters = [encounter for impact in evidence.impacts for encounter in impact.encounters]
    if stat == "pools":
        pools = {replica.pool for replica in evidence.record.replicas} | {
            c.pool for c in evidence.calls.calls if c.pool
        }
        pool_of = {replica.name: replica.pool for replica in evidence.record.replicas}
        touched = {pool_of.get(encounter.from_replica, encounter.call.pool) for encounter in encounters} & pools
        return fact(len(touched) / len(pools), len(pools)) if pools else not_measured("no pool is known")
    failed = stat.startswith("failed_")
    sessions = {session.id: session for session in evidence.sessions(RUN_SCOPE)}
    met = {e.call.session for e in encounters if not failed or not e.saved}
    if failed:
        met = {name for name in met if name in sessions and sessions[name].outcome == SessionOutcome.LOST}
    if stat.endswith("sessions"):
        return _share(len(met & sessions.keys()), len(sessions))
    tenants = {session.tenant for session in sessions.values()}
    return _share(len({sessions[name].tenant for name in met & sessions.keys()}), len(tenants))


def _share(part: int, whole: int) -> Measurement:
    return fact(part / whole, whole) if whole else not_measured("no session was started")
