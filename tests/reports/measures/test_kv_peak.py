"""kv_peak: the largest share of KV blocks in use."""

from __future__ import annotations

from tests.support.measure_records import add_replica_post
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import value


def test_kv_peak_is_the_largest_share_of_kv_blocks_in_use(record: RecordBuilder) -> None:
    add_replica_post(record, "gpu-0", 6.0, 1, used=40)
    add_replica_post(record, "tpu-0", 21.0, 1, used=95)
    assert value(record, "kv_peak") == 0.95
    assert value(record, "kv_peak", "baseline") == 0.4
    assert value(record, "kv_peak", where=("pool", "gpu")) == 0.4
