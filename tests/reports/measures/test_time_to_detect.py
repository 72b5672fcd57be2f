"""time_to_detect: injection to the first reaction of the gateway."""

from __future__ import annotations

import math

import pytest

from tests.support.record_builder import RecordBuilder, Up, migrated
from tests.support.record_results import measured, value


def test_detection_is_the_first_reaction_of_the_gateway_to_a_faulted_replica(record: RecordBuilder) -> None:
    record.fault()
    record.transition(20.1, "gpu-0", "ejected")  # not a faulted one
    record.transition(20.2, "tpu-0", "readmitted")  # not a reaction
    record.transition(20.8, "tpu-0", "breaker_open")
    record.call("s0", 0, 6.0)
    assert value(record, "time_to_detect") == pytest.approx(0.8)
    record.call("s1", 0, 19.4, gaps={3: 0.7}, ups=migrated(20.01, resumed=20.64, sent=19.4, passed_on=3))
    assert value(record, "time_to_detect") == pytest.approx(0.02)


def test_without_a_reaction_the_time_to_detect_is_infinite(record: RecordBuilder) -> None:
    record.fault()
    record.call("s0", 0, 21.0, tokens=3, outcome="truncated", ups=[Up("tpu-0", 21.0, 21.6, "truncated", passed_on=3)])
    assert value(record, "time_to_detect") == math.inf


def test_without_a_fault_time_to_detect_is_not_measured(good: RecordBuilder) -> None:
    assert measured(good, "time_to_detect").why_not == "no fault was injected"
