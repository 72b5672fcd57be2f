"""Runs that can be compared are one series; others are apart, with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reports.trend.grouping import series_of
from reports.trend.reading import TrendRun
from tests.support.trend_runs import read_back, report_of


def run(folder: Path, **changes: Any) -> TrendRun:
    return read_back(folder, report_of({"ttft.p95": 0.4}, **changes))


def test_runs_are_grouped_by_experiment_target_and_machine_and_sorted_by_time(tmp_path: Path) -> None:
    runs = [
        run(tmp_path / "b", day=2),
        run(tmp_path / "a", day=1, seed=4),
        run(tmp_path / "c", stack="naive"),
        run(tmp_path / "d", machine="4 cores, 16 GB"),
        run(tmp_path / "e", name="cut-streams"),
    ]
    found = series_of(runs)
    assert [(one.label, len(one.runs), one.apart) for one in found] == [
        ("cut-streams on well", 1, ""),
        ("lose-tpu-pool on naive", 1, ""),
        ("lose-tpu-pool on well", 1, ""),
        ("lose-tpu-pool on well", 2, ""),
    ]
    assert [one.folder.name for one in found[3].runs] == ["a", "b"]


def test_runs_under_other_conditions_are_a_series_with_the_reason(tmp_path: Path) -> None:
    runs = [run(tmp_path / "a", day=1), run(tmp_path / "b", day=2, short_form=True), run(tmp_path / "c", day=3)]
    whole, short = series_of(runs)
    assert [one.folder.name for one in whole.runs] == ["a", "c"]
    assert "short forms" in short.apart


def test_a_run_that_broke_off_stays_in_its_series(tmp_path: Path) -> None:
    whole = {"baseline": 20.0, "fault": 15.0, "recovery": 15.0}
    runs = [
        run(tmp_path / "a", day=1, verdict="aborted", phases_s={"baseline": 20.0}),
        run(tmp_path / "b", day=2, phases_s=whole),
        run(tmp_path / "c", day=3, verdict="interrupted", phases_s={"baseline": 3.0}),
        run(tmp_path / "d", day=4, phases_s=whole | {"recovery": 60.0}),
    ]
    first, other = series_of(runs)
    assert [one.folder.name for one in first.runs] == ["a", "b", "c"]
    assert "the recovery lasted" in other.apart


def test_a_run_without_its_faults_is_another_series(tmp_path: Path) -> None:
    runs = [run(tmp_path / "a"), run(tmp_path / "b", name="lose-tpu-pool-twin", twin_of="a")]
    assert [one.label for one in series_of(runs)] == [
        "lose-tpu-pool on well",
        "lose-tpu-pool on well, without its faults",
    ]
