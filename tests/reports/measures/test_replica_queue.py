"""replica_queue: total waiting time at a replica."""

from __future__ import annotations

import pytest

from tests.support.record_builder import RecordBuilder, Up
from tests.support.record_results import value


def test_replica_queue_is_the_sum_of_the_waits_of_a_request(record: RecordBuilder) -> None:
    record.call("a", 0, 6.0, ups=[Up("gpu-0", 6.0, 6.7, passed_on=11, queue=[(6.01, 6.11), (6.3, 6.5)])])
    record.call("b", 0, 7.0, ups=[Up("tpu-0", 7.0, 7.7, passed_on=11, queue=[(7.01, 7.01)])])
    assert value(record, "replica_queue.max") == pytest.approx(0.3)
    assert value(record, "replica_queue.max", where=("pool", "tpu")) == 0.0
