"""metastable, overloaded: the states of the stack as 0, 1 or not measured."""

from __future__ import annotations

from tests.support.measure_records import LATE_TTFT_S
from tests.support.record_builder import RecordBuilder, Up, measured, value


def storm(record: RecordBuilder, *, down_until: float) -> None:
    """Two calls per second with two attempts each; from the fault at 20 s to `down_until` they are late."""
    record.experiment["profile"]["client"] = {"timeout_s": 5.0}
    record.fault(hits=9)
    for index in range(102):
        at = 0.25 + index / 2
        late = 20.0 <= at < down_until
        ups = [Up("gpu-1", at + 0.01, at + 3.3, passed_on=11)]
        if late:
            ups.insert(0, Up("gpu-0", at, at + 0.3, "reset", computed=0, decoded=5))
        record.call(f"s{index}", 0, at, ttft=LATE_TTFT_S if late else 0.5, ups=ups)
        record.session(f"s{index}", at, at + 3.3)


def test_both_are_0_for_a_stack_that_recovers(record: RecordBuilder) -> None:
    storm(record, down_until=32.0)
    assert (value(record, "overloaded"), value(record, "metastable")) == (0, 0)


def test_a_stack_that_stays_down_is_overloaded_and_may_be_metastable(record: RecordBuilder) -> None:
    storm(record, down_until=51.0)
    assert value(record, "overloaded") == 1
    found = measured(record, "metastable")
    assert found.value is None
    assert "stays at 0%" in found.why_not


def test_without_a_fault_both_are_not_measured(good: RecordBuilder) -> None:
    assert measured(good, "overloaded").why_not == "no fault was injected"
    assert measured(good, "metastable").why_not == "no fault was injected"
