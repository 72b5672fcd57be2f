"""preemptions: requests that returned to a replica's queue."""

from __future__ import annotations

from tests.support.record_builder import RecordBuilder, Up
from tests.support.record_results import value


def test_preemptions_are_counted_from_the_spans_of_replicas(record: RecordBuilder) -> None:
    record.call("a", 0, 6.0, tier="batch", ups=[Up("gpu-0", 6.0, 6.7, passed_on=11, preemptions=2)])
    record.call("b", 0, 7.0, ups=[Up("tpu-0", 7.0, 7.7, passed_on=11, preemptions=1)])
    assert value(record, "preemptions") == 3
    assert value(record, "preemptions", where=("pool", "tpu")) == 1
    assert value(record, "preemptions", where=("tier", "batch")) == 2
