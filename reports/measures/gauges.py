"""Counters of replicas within a scope: the posts of counters that were made in its phases."""

from __future__ import annotations

from collections.abc import Iterator

from reports.history.evidence import Evidence, Scope
from reports.record.entries import GaugePost

__all__ = ["replica_posts"]


def replica_posts(evidence: Evidence, scope: Scope) -> Iterator[GaugePost]:
    """The posts of replicas in the scope's phases; only of one pool where the scope names a pool."""
    record = evidence.record
    windows = [(phase.start_s, phase.end_s) for phase in record.phases if phase.name in scope.phases]
    pool_of = {replica.name: replica.pool for replica in record.replicas}
    for post in record.gauges:
        if post.kind != "replica" or not any(begin <= post.at_s < end for begin, end in windows):
            continue
        if scope.where is None or scope.where == ("pool", pool_of.get(post.process, "")):
            yield post
