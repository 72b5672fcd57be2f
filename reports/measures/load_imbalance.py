"""load_imbalance: the busiest replica's mean load / the mean over the replicas. 1 is even.

Load: requests running and waiting, of the looks at a replica (four a second) while it lived. A replica that was not
there in the scope's phases has no part in it; one that was there and idle has.
"""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean

from reports.history.evidence import Evidence, Scope
from reports.measures.gauges import replica_posts
from reports.measures.measurement import Measurement, fact, not_measured

__all__ = ["load_imbalance", "mean_loads"]


def load_imbalance(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """A factor of at least 1."""
    means = mean_loads(evidence, scope)
    if not means:
        return not_measured("no replica of ours counted its requests")
    overall = fmean(means.values())
    if overall <= 0:
        return not_measured("no replica had a request at any look at it")
    return fact(max(means.values()) / overall, len(means))


def mean_loads(evidence: Evidence, scope: Scope) -> dict[str, float]:
    """By replica: requests running and waiting, on average."""
    loads: dict[str, list[float]] = defaultdict(list)
    for post in replica_posts(evidence, scope):
        if "running" in post.data:
            loads[post.process].append(float(post.data["running"] or 0) + float(post.data.get("waiting") or 0))
    return {name: fmean(values) for name, values in loads.items()}
