"""migrations: streams continued at another replica."""

from __future__ import annotations

from tests.support.record_builder import RecordBuilder, migrated
from tests.support.record_results import value


def test_a_stream_continued_elsewhere_is_a_migration_and_a_retry_is_not(record: RecordBuilder) -> None:
    record.call("a", 0, 19.4, gaps={3: 0.7}, ups=migrated(20.01, resumed=20.64, sent=19.4, passed_on=3))
    record.call("b", 0, 19.6, ttft=1.5, ups=migrated(20.01, resumed=21.0, sent=19.6, passed_on=0))
    assert value(record, "migrations") == 1
    assert value(record, "migrations", where=("pool", "gpu")) == 1
    assert value(record, "migrations", where=("pool", "tpu")) == 0
