"""load_imbalance: the busiest replica's mean load / the mean over the replicas. 1 is even.

Load: requests running and waiting, in the samples of a replica (four per second) while it was alive. Idle replicas
count; replicas that were not running in the scope's phases do not.
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
        return not_measured("no replica of ours reports its requests")
    overall = fmean(means.values())
    if overall <= 0:
        return not_measured("no replica had a request in any sample")
    return fact(max(means.values()) / overall, len(means))


def mean_loads(evidence: Evidence, scope: Scope) -> dict[str, float]:
    """By replica: mean number of requests running and waiting."""
    loads: dict[str, list[float]] = defaultdict(list)
    for post in replica_posts(evidence, scope):
        if "running" in post.data:
            loads[post.process].append(float(post.data["running"] or 0) + float(post.data.get("waiting") or 0))
    return {name: fmean(values) for name, values in loads.items()}
