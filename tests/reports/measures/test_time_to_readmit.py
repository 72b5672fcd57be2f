"""time_to_readmit: revert to the first good call at the replica."""

from __future__ import annotations

import math

import pytest

from tests.support.record_builder import RecordBuilder, Up
from tests.support.record_results import measured, value


def test_readmission_is_the_first_good_call_at_the_slowest_replica(record: RecordBuilder) -> None:
    record.fault()
    record.call("a", 0, 30.5, ttft=3.0, ups=[Up("tpu-0", 30.5, 34.0, passed_on=11)])  # ok, but not good
    record.call("b", 0, 31.2, ups=[Up("tpu-0", 31.2, 31.9, passed_on=11)])
    assert value(record, "time_to_readmit") == math.inf
    record.call("c", 0, 33.5, ups=[Up("tpu-1", 33.5, 34.2, passed_on=11)])
    assert value(record, "time_to_readmit") == pytest.approx(3.5)


def test_without_a_fault_time_to_readmit_is_not_measured(good: RecordBuilder) -> None:
    assert measured(good, "time_to_readmit").why_not == "no fault was injected on a replica"
