"""The twin: its share of good calls, and the reasons why it is not conclusive."""

from __future__ import annotations

import json

from reports.metastability.judging import Metastability, metastability_of
from reports.metastability.twin import Twin, read_twin
from reports.record.reader import read_record
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import evidence_of
from tests.support.storm_records import add_storm_with_spare_capacity, write_twin


def found(record: RecordBuilder) -> Metastability:
    return metastability_of(evidence_of(record))


def test_a_twin_of_another_seed_is_not_conclusive(record: RecordBuilder) -> None:
    write_twin(record, good=1.0, run={"seed": 8})
    state = found(add_storm_with_spare_capacity(record))
    assert state.state == "overloaded"
    assert "its seed is 8" in state.why


def test_a_run_without_a_twin_has_none(record: RecordBuilder) -> None:
    assert read_twin(read_record(record.write()), 20.0, 40.0) is None


def test_the_share_of_the_twin_is_that_of_the_whole_seconds_between_two_times(record: RecordBuilder) -> None:
    good = [10] * 30 + [4] * 30
    write_twin(record, 1.0, timeline={"offered": [10] * 60, "good": good})
    found = read_twin(read_record(record.write()), 25.2, 34.9)
    assert found == Twin("twin", (4 * 10 + 4 * 4) / 80)  # seconds 26 to 33


def test_a_twin_with_a_fault_is_not_conclusive(record: RecordBuilder) -> None:
    write_twin(record, 1.0, faults=[{"stages": {"injected": 20.0}}])
    assert read_twin(read_record(record.write()), 20.0, 40.0) == Twin("twin", None, "it had a fault")


def test_a_twin_without_a_report_is_not_conclusive(record: RecordBuilder) -> None:
    record.write()
    (record.path / "twin.json").write_text(json.dumps({"path": "../twin"}))
    found = read_twin(read_record(record.path), 20.0, 40.0)
    assert found is not None
    assert found.share is None
    assert found.why_not.startswith("the twin's report cannot be read")


def test_an_unreadable_twin_file_is_not_conclusive(record: RecordBuilder) -> None:
    record.write()
    (record.path / "twin.json").write_text("{")
    found = read_twin(read_record(record.path), 20.0, 40.0)
    assert found is not None
    assert found.why_not.startswith("twin.json cannot be read")
