"""Posts of replicas within a scope."""

from __future__ import annotations

from reports.history.evidence import Scope
from reports.measures.gauges import replica_posts
from tests.support.measure_records import add_replica_post
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import evidence_of


def test_posts_of_replicas_are_those_of_the_scopes_phases_and_pool(record: RecordBuilder) -> None:
    record.load_gauges()
    for replica, at in (("gpu-0", 1.0), ("gpu-0", 5.0), ("tpu-0", 19.99), ("gpu-0", 20.0)):
        add_replica_post(record, replica, at, 1)
    evidence = evidence_of(record)
    baseline = [(post.process, post.at_s) for post in replica_posts(evidence, Scope("baseline"))]
    assert baseline == [("gpu-0", 5.0), ("tpu-0", 19.99)]
    pool = [post.at_s for post in replica_posts(evidence, Scope(None, ("pool", "gpu")))]
    assert pool == [5.0, 20.0]
