"""time_to_recover: revert to the first window from which service stays recovered."""

from __future__ import annotations

import math

import pytest

from tests.support.measure_records import add_degraded_service
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import measured, value


def test_recovery_is_the_first_window_from_which_service_stays_recovered(record: RecordBuilder) -> None:
    record.fault()
    add_degraded_service(record, until=34.0)
    # a window of 5 s tolerates 10 points: 1 s of it at half; so it begins 3 s after the revert, and 0.1 s on the grid
    assert value(record, "time_to_recover") == pytest.approx(3.0, abs=0.11)


def test_a_run_that_stays_degraded_never_recovers(record: RecordBuilder) -> None:
    record.fault()
    add_degraded_service(record, until=51.0)
    assert value(record, "time_to_recover") == math.inf


def test_a_run_that_is_healthy_at_the_revert_recovers_at_once(record: RecordBuilder) -> None:
    record.fault()
    add_degraded_service(record, until=25.0)
    assert value(record, "time_to_recover") == 0.0


def test_a_record_that_ends_during_the_fault_has_no_recovery(tmp_path_factory: pytest.TempPathFactory) -> None:
    record = RecordBuilder(tmp_path_factory.mktemp("cut") / "run")
    record.phases({"setup": -3.0, "warmup": 0.0, "baseline": 5.0, "fault": 20.0})
    record.fault(stages={"planned": 0.0, "injected": 20.0})
    record.call("s0", 0, 21.0)
    assert "before the last fault was reverted" in measured(record, "time_to_recover").why_not
    assert "before the last fault was reverted" in measured(record, "time_to_readmit").why_not


def test_without_a_fault_time_to_recover_is_not_measured(good: RecordBuilder) -> None:
    assert measured(good, "time_to_recover").why_not == "no fault was injected"
