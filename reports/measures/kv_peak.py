"""kv_peak: the largest share of its KV blocks that any replica had in use in any sample (four per second)."""

from __future__ import annotations

from reports.history.evidence import Evidence, Scope
from reports.measures.gauges import replica_posts
from reports.measures.measurement import Measurement, fact, not_measured

__all__ = ["kv_peak"]


def kv_peak(evidence: Evidence, scope: Scope, stat: str) -> Measurement:
    """A share of the blocks."""
    shares = [
        float(post.data.get("kv_used") or 0) / float(post.data["kv_total"])
        for post in replica_posts(evidence, scope)
        if post.data.get("kv_total")
    ]
    return fact(max(shares), len(shares)) if shares else not_measured("no replica of ours reports its KV blocks")
