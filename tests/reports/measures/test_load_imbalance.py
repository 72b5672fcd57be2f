"""load_imbalance: the busiest replica over the mean."""

from __future__ import annotations

from tests.support.measure_records import add_replica_post
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import measured, value


def test_load_imbalance_is_the_busiest_replica_over_the_mean(record: RecordBuilder) -> None:
    record.call("a", 0, 6.0)
    for at in (6.0, 7.0):
        add_replica_post(record, "gpu-0", at, 4, 4)
        add_replica_post(record, "gpu-1", at, 2)
        add_replica_post(record, "tpu-0", at, 2)
    add_replica_post(record, "tpu-1", 1.0, 50)  # in the warm-up
    assert value(record, "load_imbalance", "baseline") == 2.0
    assert value(record, "load_imbalance", "baseline", ("pool", "gpu")) == 1.6
    assert measured(record, "load_imbalance", "recovery").why_not == "no replica of ours reports its requests"
