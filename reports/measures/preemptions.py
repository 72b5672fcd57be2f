"""preemptions: how often requests lost their KV blocks and returned to a replica's queue.

From the replicas' spans, in the phase of the call. A request that was joined to no call counts in the phase in which it
started.
"""

from __future__ import annotations

import numpy as np

from reports.history.calls import ReplicaRequest, phase_at
from reports.history.evidence import Evidence, Scope
from reports.measures.measurement import Measurement, fact, not_measured
from reports.shared import attributes as names

__all__ = ["preemptions", "requests_in"]


def preemptions(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """A count."""
    if not evidence.calls.has_replicas:
        return not_measured("no replica of ours reports preemptions")
    requests = [request for request, _ in requests_in(evidence, scope)]
    if scope.where is None or scope.where[0] == "pool":
        requests += [
            request
            for request in evidence.calls.unjoined_requests
            if phase_at(evidence.record.phases, request.start_s) in scope.phases
            and scope.where in (None, ("pool", request.pool))
        ]
    return fact(sum(int(r.span.attributes.get(names.PREEMPTIONS, 0)) for r in requests), len(requests))


def requests_in(evidence: Evidence, scope: Scope) -> list[tuple[ReplicaRequest, int]]:
    """The requests at replicas of the scope's calls, each with the index of its session; for a pool: its own."""
    pool = scope.where[1] if scope.where is not None and scope.where[0] == "pool" else None
    mask = evidence.mask(Scope(scope.phase) if pool is not None else scope)
    return [
        (request, int(evidence.columns.session[index]))
        for index in np.flatnonzero(mask)
        for request in evidence.calls.calls[index].replica_requests
        if pool is None or request.pool == pool
    ]
