"""The fault windows of a record: which baseline, fault and recovery each injection has."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.by_hand.windows import FaultWindow, by_windows, fault_windows, of_window
from reports.record.reader import read_record
from tests.support.hand_records import hand_run, injected
from tests.support.record_builder import RecordBuilder


def windows_of(record: RecordBuilder) -> list[FaultWindow]:
    record.events.sort(key=lambda event: int(event["at"]))
    return fault_windows(read_record(record.write()))


def times(window: FaultWindow) -> dict[str, tuple[float, float]]:
    return {phase.name: (phase.start_s, phase.end_s) for phase in window.phases}


def test_a_window_is_30_s_before_the_fault_and_60_s_after_it(tmp_path: Path) -> None:
    record = hand_run(tmp_path / "run")
    injected(record, "h1", 40.0, 50.0)
    (window,) = windows_of(record)
    assert times(window) == {"baseline": (10.0, 40.0), "fault": (40.0, 50.0), "recovery": (50.0, 110.0)}
    assert (window.number, [fault.id for fault in window.faults], window.without) == (1, ["h1"], "")


def test_a_recovery_ends_with_the_load(tmp_path: Path) -> None:
    record = hand_run(tmp_path / "run")
    injected(record, "h1", 80.0, 90.0)
    assert times(windows_of(record)[0])["recovery"] == (90.0, 120.0)


def test_a_record_without_a_fault_has_no_window(tmp_path: Path) -> None:
    assert windows_of(hand_run(tmp_path / "run")) == []


def test_without_load_there_is_no_baseline(tmp_path: Path) -> None:
    record = hand_run(tmp_path / "run", load=None)
    injected(record, "h1", 40.0, 50.0)
    (window,) = windows_of(record)
    assert window.without == "no load ran when the fault was injected"
    assert set(times(window)) == {"fault"}


@pytest.mark.parametrize(
    ("at", "without"),
    [
        (29.9, "the load had run for 30 s, and a baseline needs 30 s"),
        (12.0, "the load had run for 12 s, and a baseline needs 30 s"),
        (30.0, ""),
    ],
)
def test_a_baseline_needs_30_s_of_load_before_it(tmp_path: Path, at: float, without: str) -> None:
    record = hand_run(tmp_path / "run")
    injected(record, "h1", at, at + 5)
    assert windows_of(record)[0].without == without


@pytest.mark.parametrize("kind", ["after the load", "before it"])
def test_a_fault_outside_of_the_load_has_no_baseline(tmp_path: Path, kind: str) -> None:
    record = hand_run(tmp_path / "run", load=(0.0, 60.0) if kind == "after the load" else (50.0, 100.0))
    injected(record, "h1", 70.0 if kind == "after the load" else 10.0, 75.0 if kind == "after the load" else 20.0)
    assert windows_of(record)[0].without == "no load ran when the fault was injected"


def test_faults_that_overlap_share_a_window(tmp_path: Path) -> None:
    record = hand_run(tmp_path / "run")
    injected(record, "h1", 40.0, 50.0)
    injected(record, "h2", 45.0, 60.0, ("gpu-0",))
    injected(record, "h3", 47.0, 48.0, ("gpu-1",), "freeze")
    (window,) = windows_of(record)
    assert [fault.id for fault in window.faults] == ["h1", "h2", "h3"]
    assert times(window)["fault"] == (40.0, 60.0)


def test_a_fault_that_begins_as_another_ends_has_a_window_of_its_own(tmp_path: Path) -> None:
    record = hand_run(tmp_path / "run")
    injected(record, "h1", 40.0, 50.0)
    injected(record, "h2", 50.0, 60.0)
    first, second = windows_of(record)
    assert set(times(first)) == {"baseline", "fault"}
    assert second.without == "the fault before it had ended 0 s earlier, and a baseline needs 30 s without one"


def test_a_second_window_has_a_baseline_30_s_after_the_first_fault(tmp_path: Path) -> None:
    record = hand_run(tmp_path / "run")
    injected(record, "h1", 35.0, 40.0)
    injected(record, "h2", 69.0, 70.0)
    injected(record, "h3", 100.0, 105.0)
    first, second, third = windows_of(record)
    assert times(first)["recovery"] == (40.0, 69.0)
    assert "recovery" not in times(second)  # the baseline of the third begins at once
    assert "the fault before it had ended 29 s earlier" in second.without
    assert times(third)["baseline"] == (70.0, 100.0)


def test_a_recovery_ends_where_the_next_baseline_begins(tmp_path: Path) -> None:
    record = hand_run(tmp_path / "run")
    injected(record, "h1", 35.0, 40.0)
    injected(record, "h2", 90.0, 95.0)
    first, second = windows_of(record)
    assert times(first)["recovery"] == (40.0, 60.0)
    assert times(second)["baseline"] == (60.0, 90.0)


def test_a_fault_that_was_never_reverted_lasts_until_the_end(tmp_path: Path) -> None:
    record = hand_run(tmp_path / "run")
    injected(record, "h1", 40.0, None)
    (window,) = windows_of(record)
    assert times(window) == {"baseline": (10.0, 40.0), "fault": (40.0, 130.0)}


def test_a_fault_that_was_planned_only_has_no_window(tmp_path: Path) -> None:
    record = hand_run(tmp_path / "run")
    record.fault("h1", stages={"planned": 40.0})
    assert windows_of(record) == []


def test_a_load_that_was_stopped_in_the_fault_leaves_no_recovery(tmp_path: Path) -> None:
    record = hand_run(tmp_path / "run", load=(0.0, 45.0))
    injected(record, "h1", 40.0, 50.0)
    assert set(times(windows_of(record)[0])) == {"baseline", "fault"}


def test_a_load_that_died_and_its_next_start_are_two_loads(tmp_path: Path) -> None:
    record = hand_run(tmp_path / "run")
    died = {"incarnation": 1, "pid": 1, "kind": "load", "event": "exited", "status": -9, "expected": False}
    record.event("process", 60.0, name="locust", **died)
    record.event("action", 80.0, action="load_start", text="profile chat, seed 8")
    injected(record, "h1", 40.0, 45.0)
    injected(record, "h2", 90.0, 95.0)
    first, second = windows_of(record)
    assert times(first) == {"baseline": (10.0, 40.0), "fault": (40.0, 45.0), "recovery": (45.0, 60.0)}
    assert second.without == "the load had run for 10 s, and a baseline needs 30 s"


def test_of_two_loads_that_ended_by_themselves_each_has_its_own_end(tmp_path: Path) -> None:
    record = hand_run(tmp_path / "run")
    ended = {"pid": 1, "kind": "load", "event": "exited", "status": 0, "expected": False}
    record.event("process", 45.0, name="locust", incarnation=1, **ended)
    record.event("action", 50.0, action="load_start", text="profile chat, seed 8")
    record.event("process", 110.0, name="locust", incarnation=2, **ended)
    injected(record, "h1", 35.0, 40.0)
    injected(record, "h2", 90.0, 95.0)
    first, second = windows_of(record)
    assert times(first) == {"baseline": (5.0, 35.0), "fault": (35.0, 40.0), "recovery": (40.0, 45.0)}
    assert times(second) == {"baseline": (60.0, 90.0), "fault": (90.0, 95.0), "recovery": (95.0, 110.0)}


def test_an_abort_ends_the_load(tmp_path: Path) -> None:
    record = hand_run(tmp_path / "run")
    record.event("action", 55.0, action="abort", text="")
    injected(record, "h1", 40.0, 50.0)
    assert times(windows_of(record)[0])["recovery"] == (50.0, 55.0)


def test_a_window_alone_has_its_faults_and_phases_only(tmp_path: Path) -> None:
    builder = hand_run(tmp_path / "run")
    injected(builder, "h1", 40.0, 50.0)
    injected(builder, "h2", 90.0, 95.0)
    record = read_record(builder.write())
    windows = fault_windows(record)
    alone = of_window(record, windows[1])
    assert [fault.id for fault in alone.faults] == ["h2"]
    assert [phase.name for phase in alone.phases] == ["baseline", "fault", "recovery"]
    assert len(by_windows(record, windows).phases) == 6
    assert by_windows(record, []).phases == record.phases
