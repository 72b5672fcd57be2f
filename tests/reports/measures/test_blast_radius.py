"""blast_radius: sessions, tenants and pools that the fault affected."""

from __future__ import annotations

import pytest

from tests.support.measure_records import add_failovers
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import measured, value


def test_blast_radius_is_the_share_that_met_the_fault_or_failed_from_it(record: RecordBuilder) -> None:
    add_failovers(record)
    for index in range(30):
        record.call(f"q{index}", 0, 25.0)
        record.session(f"q{index}", 25.0, 26.0)
    assert value(record, "blast_radius.sessions") == pytest.approx(10 / 40)
    assert value(record, "blast_radius.failed_sessions") == pytest.approx(1 / 40)
    assert value(record, "blast_radius.tenants") == 1.0
    assert value(record, "blast_radius.pools") == pytest.approx(1 / 2)


def test_without_a_fault_blast_radius_is_not_measured(good: RecordBuilder) -> None:
    assert measured(good, "blast_radius.sessions").why_not == "no fault was injected"
