"""Shedding: the share of good calls after sessions are admitted again."""

from __future__ import annotations

from pathlib import Path

from reports.metastability.shedding import read_shedding
from tests.support.measure_records import LATE_TTFT_S
from tests.support.record_builder import RecordBuilder
from tests.support.record_results import evidence_of
from tests.support.storm_records import PHASES_WITH_SHEDDING


def test_a_run_without_shedding_has_none(record: RecordBuilder) -> None:
    assert read_shedding(evidence_of(record)) is None


def test_the_share_is_that_of_the_calls_of_the_readmission(tmp_path: Path) -> None:
    record = RecordBuilder(tmp_path / "run")
    record.phases(PHASES_WITH_SHEDDING)
    for at, ttft in ((52.0, LATE_TTFT_S), (61.0, 0.5), (62.0, 0.5), (63.0, LATE_TTFT_S), (69.0, 0.5), (71.0, 0.5)):
        record.call(f"s{at}", 0, at, ttft=ttft)
    found = read_shedding(evidence_of(record))
    assert found is not None
    assert (found.begin_s, found.readmitted_s, found.share, found.why_not) == (51.0, 60.0, 0.75, "")


def test_a_readmission_without_calls_is_not_conclusive(tmp_path: Path) -> None:
    record = RecordBuilder(tmp_path / "run")
    record.phases(PHASES_WITH_SHEDDING)
    record.call("s0", 0, 21.0)
    found = read_shedding(evidence_of(record))
    assert found is not None
    assert (found.share, found.why_not) == (None, "no call was sent in the readmission")


def test_a_record_that_ends_while_shedding_is_not_conclusive(tmp_path: Path) -> None:
    record = RecordBuilder(tmp_path / "run")
    record.phases({phase: at for phase, at in PHASES_WITH_SHEDDING.items() if at < 60.0})
    record.call("s0", 0, 21.0)
    found = read_shedding(evidence_of(record))
    assert found is not None
    assert (found.share, found.why_not) == (None, "the record ends before the end of the readmission")
