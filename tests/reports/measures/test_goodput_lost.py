"""goodput_lost: the share of expected good calls that is missing."""

from __future__ import annotations

import pytest

from tests.support.measure_records import add_degraded_service
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import measured, value


def test_goodput_lost_is_the_share_of_expected_good_calls_missing(record: RecordBuilder) -> None:
    record.fault()
    add_degraded_service(record, until=31.0)
    # from 20 s to 51 s: 620 calls offered, 110 of them failed, in a baseline without failures
    assert value(record, "goodput_lost") == pytest.approx(110 / 620)


def test_without_a_fault_goodput_lost_is_not_measured(good: RecordBuilder) -> None:
    assert measured(good, "goodput_lost").why_not == "no fault was injected"
