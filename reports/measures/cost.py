"""cost: dollars for the hardware held; per 1,000 succeeded sessions; per million useful output tokens.

Each replica's price an hour x the time it was held. Hardware whose process a fault killed or froze is held all the
same. Useful tokens are those of calls that ended ok, useful sessions those that succeeded, in the same scope.
"""

from __future__ import annotations

import numpy as np

from reports.attributes import SessionOutcome
from reports.evidence import Evidence, Scope
from reports.measures.measurement import Measurement, fact, not_measured

__all__ = ["cost", "dollars_by_pool"]


def dollars_by_pool(evidence: Evidence, scope: Scope) -> dict[str, float]:
    """What each pool's hardware cost over the scope's phases."""
    hours = evidence.duration_s(scope) / 3600
    pools: dict[str, float] = {}
    for replica in evidence.record.replicas:
        if scope.where is None or scope.where == ("pool", replica.pool):
            pools[replica.pool] = pools.get(replica.pool, 0.0) + replica.usd_per_hour * hours
    return pools


def cost(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """US dollars."""
    pools = dollars_by_pool(evidence, scope)
    if not any(pools.values()):
        return not_measured("the stack names no prices")
    dollars = sum(pools.values())
    if stat == "":
        return fact(dollars, len(pools))
    if stat == "per_1k_sessions":
        if scope.where is not None:
            return not_measured("a session is not served by one pool")
        served = sum(s.outcome == SessionOutcome.SUCCEEDED for s in evidence.sessions(scope))
        return fact(1000 * dollars / served, served) if served else not_measured("no session succeeded")
    useful = float(np.sum(evidence.columns.tokens[evidence.mask(scope) & evidence.columns.ok]))
    return fact(1e6 * dollars / useful, int(useful)) if useful else not_measured("no useful token was delivered")
