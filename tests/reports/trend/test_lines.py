"""The lines of a series: key measures, those of gates, or those a user names; and which runs count."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from reports.measures.catalogue import CATALOGUE
from reports.shared.errors import UserError
from reports.trend.grouping import Series, series_of
from reports.trend.lines import KEY, check_names, left_out, lines_of
from tests.support.trend_runs import gate, read_back, report_of

VALUES = {"ttft.p95": 0.4, "sessions_lost": 1.0, "calls": 100.0}


def series(folder: Path, *reports: dict[str, Any]) -> Series:
    (found,) = series_of(read_back(folder / str(number), report) for number, report in enumerate(reports))
    return found


def test_eight_key_measures_are_shown_and_exist() -> None:
    assert len(KEY) == 8
    assert all(name.partition(".")[0] in CATALOGUE for name in KEY)


def test_key_measures_are_followed_by_the_gates_of_the_newest_run(tmp_path: Path) -> None:
    old = report_of(VALUES, day=1, gates=[gate("calls >= 5", "calls", 100.0)])
    new = report_of(VALUES, day=2, gates=[gate("ttft.p95 during fault <= 1 s", "ttft.p95", 0.7, phase="fault")])
    found = lines_of(series(tmp_path, old, new))
    assert [line.name for line in found] == ["sessions_lost", "ttft.p95", "ttft.p95 during fault"]
    assert found[2].values == (0.4, 0.7)
    assert (found[2].bound, found[2].limit) == ("ttft.p95 during fault <= 1 s", 1.0)


def test_a_gate_on_a_key_measure_gives_it_its_bound(tmp_path: Path) -> None:
    lost = [gate("sessions_lost <= 2", "sessions_lost", 1.0, bound=2.0)]
    found = lines_of(series(tmp_path, report_of(VALUES, gates=lost)))
    assert next((line.name, line.bound, line.limit) for line in found) == ("sessions_lost", "sessions_lost <= 2", 2.0)
    assert len(found) == 2


def test_a_gate_relative_to_the_baseline_shows_its_factor(tmp_path: Path) -> None:
    relative = gate(
        "ttft.p95 for pool=tpu <= 2 x baseline", "ttft.p95", 0.8, factor=1.6, relative_to_baseline=True,
        where="pool=tpu",
    )  # fmt: skip
    found = lines_of(series(tmp_path, report_of(VALUES, gates=[relative])))[-1]
    assert (found.name, found.values, found.unit) == ("ttft.p95, pool=tpu, x baseline", (1.6,), "x")


def test_a_named_measure_is_shown_in_every_phase_instead(tmp_path: Path) -> None:
    found = lines_of(series(tmp_path, report_of(VALUES)), ["calls", "calls"])
    assert [line.phase for line in found] == [None, "baseline", "fault", "recovery"]


def test_never_is_infinite_and_a_missing_value_is_none(tmp_path: Path) -> None:
    reports = [report_of({"ttft.p95": value}, day=day) for day, value in enumerate((0.4, None))]
    reports[0]["measures"]["ttft.p95"]["run"] = {"value": "never"}
    assert lines_of(series(tmp_path, *reports))[0].values == (math.inf, None)


def test_a_measure_that_no_run_has_is_an_error_with_near_names(tmp_path: Path) -> None:
    runs = series(tmp_path, report_of(VALUES)).runs
    check_names(runs, ["calls"])
    with pytest.raises(UserError, match=r"--measure ttft: no run has this measure; did you mean ttft\.p95\?"):
        check_names(runs, ["ttft"])
    with pytest.raises(UserError, match="brownout list measures"):
        check_names(runs, ["zzzzzz"])


@pytest.mark.parametrize(
    ("changes", "latency", "other"),
    [
        ({}, "", ""),
        ({"machine_doubts": ["late"], "verdict": "inconclusive"}, "too busy to judge latencies", ""),
        ({"severe_doubts": ["very late"]}, "changed what happened", "changed what happened"),
        ({"verdict": "aborted"}, "did not come to its end", "did not come to its end"),
    ],
)
def test_a_run_in_doubt_does_not_count(tmp_path: Path, changes: dict[str, Any], latency: str, other: str) -> None:
    run = read_back(tmp_path / "run", report_of(VALUES, **changes))
    for why, found in ((latency, left_out(run, latency=True)), (other, left_out(run, latency=False))):
        assert (why in found) if why else found == ""


def test_a_run_whose_fault_was_no_test_does_not_count(tmp_path: Path) -> None:
    report = report_of(VALUES)
    report["faults"] = [{"doubts": ["fault 1 (crash) hit nothing: no call met it"]}]
    assert "no valid test" in left_out(read_back(tmp_path / "run", report), latency=False)
