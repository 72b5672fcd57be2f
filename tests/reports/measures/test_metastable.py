"""metastable, overloaded: the states of the stack as 0, 1 or not measured."""

from __future__ import annotations

from tests.support.record_builder import RecordBuilder
from tests.support.record_results import measured, value
from tests.support.storm_records import add_storm_with_spare_capacity, write_twin


def test_both_are_0_for_a_stack_that_recovers(record: RecordBuilder) -> None:
    add_storm_with_spare_capacity(record, down=(20.0, 32.0))
    assert (value(record, "overloaded"), value(record, "metastable")) == (0, 0)


def test_both_are_1_for_a_metastable_stack(record: RecordBuilder) -> None:
    write_twin(record, good=1.0)
    add_storm_with_spare_capacity(record)
    assert (value(record, "overloaded"), value(record, "metastable")) == (1, 1)


def test_a_stack_that_stays_down_is_overloaded_and_may_be_metastable(record: RecordBuilder) -> None:
    add_storm_with_spare_capacity(record)
    assert value(record, "overloaded") == 1
    found = measured(record, "metastable")
    assert found.value is None
    assert "metastable unless a twin is down too" in found.why_not


def test_without_a_fault_both_are_not_measured(good: RecordBuilder) -> None:
    assert measured(good, "overloaded").why_not == "no fault was injected"
    assert measured(good, "metastable").why_not == "no fault was injected"
