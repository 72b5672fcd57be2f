"""Reading the folder of a run, complete or incomplete."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.record.reader import read_record
from reports.shared.errors import RecordError
from tests.support.otlp_values import ZERO_NS
from tests.support.record_builder import RecordBuilder


def test_times_are_seconds_since_the_start_of_the_load(good: RecordBuilder) -> None:
    record = read_record(good.write())
    assert record.zero_ns == ZERO_NS
    assert [(p.name, p.start_s, p.end_s) for p in record.phases][:3] == [
        ("setup", -3.0, 0.0),
        ("warmup", 0.0, 5.0),
        ("baseline", 5.0, 20.0),
    ]
    assert (record.ended, record.cut_short, record.stopped_by, record.notes) == (True, False, None, [])
    assert record.slo == {"ttft": 2.0, "tpot": 0.1}
    assert [replica.usd_per_hour for replica in record.replicas] == [36.0, 36.0, 18.0, 18.0]


def test_the_stages_of_a_fault_are_read_from_its_events(good: RecordBuilder) -> None:
    good.fault(hits=12)
    fault = read_record(good.write()).faults[0]
    assert (fault.id, fault.kind, fault.targets, fault.pools) == ("f1", "kill", ("tpu-0", "tpu-1"), ("tpu",))
    assert fault.stages == {"planned": 0.0, "injected": 20.0, "confirmed": 20.1, "reverted": 30.0, "verified": 31.0}
    assert fault.hits == 12


def test_objectives_may_be_written_as_durations(good: RecordBuilder) -> None:
    good.experiment["slo"] = {"ttft_s": "2s", "tpot": "100ms"}
    assert read_record(good.write()).slo == {"ttft": 2.0, "tpot": 0.1}
    good.experiment["slo"] = {"ttft": "soon"}
    record = read_record(good.write())
    assert record.slo == {}
    assert "soon" in record.slo_problem


def test_the_record_of_a_killed_runner_is_read_with_notes(tmp_path: Path) -> None:
    builder = RecordBuilder(tmp_path / "run")
    builder.phases({"setup": -3.0, "warmup": 0.0, "baseline": 5.0, "fault": 20.0})
    builder.call("s0", 0, 21.0)
    path = builder.write()
    with (path / "events.jsonl").open("a") as file:
        file.write('{"at": 1800000')
    record = read_record(path)
    assert (record.ended, record.cut_short) == (False, True)
    assert (record.finished("baseline"), record.finished("fault"), record.finished("recovery")) == (True, False, False)
    assert record.phases[-1].end_s == pytest.approx(21.7)
    assert any("the last line of events.jsonl is incomplete" in note for note in record.notes)
    assert any("before the end of the run" in note for note in record.notes)


@pytest.mark.parametrize("missing", ["experiment.yaml", "gauges.jsonl", "events.jsonl"])
def test_a_record_with_a_missing_file_is_read_with_a_note(good: RecordBuilder, missing: str) -> None:
    path = good.write()
    (path / missing).unlink()
    record = read_record(path)
    assert any(missing in note for note in record.notes)
    assert len(record.spans) > 0


def test_a_run_stopped_by_a_guardrail_ended_early(tmp_path: Path) -> None:
    builder = RecordBuilder(tmp_path / "run")
    builder.phases({"setup": -3.0, "warmup": 0.0, "baseline": 5.0, "fault": 20.0, "end": 24.0})
    builder.event("run", 24.0, event="aborted", why="session_success < 50% for 5s")
    record = read_record(builder.write())
    assert (record.ended, record.cut_short, record.stopped_by) == (True, True, "aborted")
    assert (record.finished("baseline"), record.finished("fault")) == (True, False)


def test_a_folder_without_a_record_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="is not the folder of a run"):
        read_record(tmp_path / "nothing")
    with pytest.raises(RecordError, match="has no record of a run"):
        read_record(tmp_path)
