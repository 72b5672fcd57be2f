"""The content of history.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reports.shared.errors import UserError
from reports.trend.history import history, history_of
from tests.support.trend_runs import read_back, report_of, write_history


def test_a_planted_change_is_named_with_its_first_run_and_direction(tmp_path: Path) -> None:
    folders = write_history(tmp_path, 24, lambda number: {"ttft.p95": 2.0 if number >= 16 else 1.0})
    data = history([tmp_path])
    (series,) = data["series"]
    assert {change["name"] for change in series["changes"]} == {"ttft.p95", "ttft.p95 during fault"}
    for change in series["changes"]:
        assert (change["direction"], change["run"], change["folder"]) == ("worse", 16, str(folders[16]))
        assert (change["started_at"], change["until"]) == (series["runs"][16]["started_at"], None)
    assert data["runs"] == len(series["runs"]) == 24
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_versions_are_named_where_they_are_recorded_and_differ(tmp_path: Path) -> None:
    write_history(tmp_path / "a", 12, lambda number: {}, gateway="nginx:tuned", gateway_version="1.22.1")
    for number in range(12):
        values = {"ttft.p95": 0.9 + number / 100}
        report = report_of(values, day=20 + number, gateway="nginx:tuned", gateway_version="1.24.0")
        read_back(tmp_path / "b" / str(number), report)
    (series,) = history([tmp_path])["series"]
    (change,) = [one for one in series["changes"] if one["name"] == "ttft.p95"]
    assert change["versions"] == {"gateway": ["1.22.1", "1.24.0"]}


def test_a_change_that_did_not_last_says_until_when(tmp_path: Path) -> None:
    write_history(tmp_path, 45, lambda number: {"goodput": 0.5 if 15 <= number < 28 else 1.0})
    (series,) = history([tmp_path], measures=["goodput"])["series"]
    first, last = (one for one in series["changes"] if one["phase"] is None)
    assert (first["direction"], last["direction"]) == ("worse", "better")
    assert (first["until"], last["until"]) == (last["started_at"], None)


def test_runs_on_a_busy_machine_give_no_change_of_latencies(tmp_path: Path) -> None:
    runs = []
    for number in range(24):
        busy: dict[str, Any] = {"machine_doubts": ["late"], "verdict": "inconclusive"} if number >= 16 else {}
        values = {"ttft.p95": 2.0 if busy else 0.4, "sessions_lost": 0.0}
        runs.append(read_back(tmp_path / str(number), report_of(values, day=number, **busy)))
    (series,) = history_of(runs)["series"]
    assert series["changes"] == []
    assert "8 of 24 runs do not count for changes of latencies: the machine was too busy" in series["notes"]


def test_a_series_with_too_few_runs_says_so(tmp_path: Path) -> None:
    write_history(tmp_path, 4, lambda number: {})
    (series,) = history([tmp_path])["series"]
    assert not series["tested"]
    assert any("4 runs count, too few to tell a change from chance" in note for note in series["notes"])


def test_a_measure_that_no_run_has_is_an_error(tmp_path: Path) -> None:
    write_history(tmp_path, 1, lambda number: {})
    with pytest.raises(UserError, match="--measure nothing"):
        history([tmp_path], measures=["nothing"])
