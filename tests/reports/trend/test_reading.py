"""Runs are found below folders; reports that cannot be read are named and skipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reports.report.build import SCHEMA as OWN_SCHEMA
from reports.shared.errors import UserError
from reports.trend.reading import SCHEMA, Skipped, number_of, read_run, read_runs
from tests.support.trend_runs import report_of, write_run

VALUES = {"ttft.p95": 0.4, "sessions_lost": 0.0}


def test_the_version_is_that_of_the_reports_that_are_written() -> None:
    assert SCHEMA == OWN_SCHEMA


def test_runs_are_found_at_any_depth_and_once(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "one", report_of(VALUES))
    write_run(tmp_path / "gates" / "monday" / "runs" / "two-1", report_of(VALUES))
    (tmp_path / "runs" / "latest").symlink_to("one")
    runs, skipped = read_runs([tmp_path, tmp_path / "runs"])
    assert sorted(run.folder.name for run in runs) == ["one", "two-1"]
    assert skipped == []


def test_runs_of_the_other_side_of_a_gate_are_left_out(tmp_path: Path) -> None:
    for name in ("one-1", "one-base-1"):
        write_run(tmp_path / "runs" / name, report_of(VALUES))
    sides = [{"folder": "runs/one-1", "side": "head"}, {"folder": "runs/one-base-1", "side": "base"}]
    (tmp_path / "gate.json").write_text(json.dumps({"version": "0.2.0", "experiments": [{"runs": sides}]}))
    runs, skipped = read_runs([tmp_path])
    assert ([run.folder.name for run in runs], skipped) == (["one-1"], [])


def test_a_run_that_a_guardrail_ended_broke_off_also_where_a_gate_failed(tmp_path: Path) -> None:
    report = report_of(VALUES, verdict="fail")
    report["verdict"]["why"] = ["sessions_lost == 0: 3", "stopped by a guardrail: session_success < 50%"]
    run = read_run(write_run(tmp_path / "a", report) / "report.json")
    assert not isinstance(run, Skipped)
    assert run.broken_off


@pytest.mark.parametrize(("fields", "version"), [({}, "0.2.0"), ({"version": "0.3.0"}, "0.3.0")])
def test_the_version_of_brownout_comes_from_the_run_or_the_gate_above_it(
    tmp_path: Path, fields: dict[str, Any], version: str
) -> None:
    folder = write_run(tmp_path / "runs" / "one-1", report_of(VALUES, **fields))
    (tmp_path / "gate.json").write_text('{"schema": 1, "version": "0.2.0"}')
    run = read_run(folder / "report.json")
    assert not isinstance(run, Skipped)
    assert run.version == version


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "damaged"),
        ("{", "damaged"),
        ("[]", "report version unknown"),
        ("{}", "report version none"),
        ('{"schema": 2}', "report version 2; this brownout reads version 3"),
        ('{"schema": "\\ud800"}', "damaged"),
        ('{"schema": 3}', "damaged"),
        ('{"schema": 3, "run": {}}', "damaged"),
    ],
)
def test_a_report_that_cannot_be_read_is_skipped_with_the_reason(tmp_path: Path, content: str, why: str) -> None:
    (tmp_path / "report.json").write_text(content)
    found = read_run(tmp_path / "report.json")
    assert isinstance(found, Skipped)
    assert why in found.why
    assert "brownout report" in found.why


@pytest.mark.parametrize(
    "change",
    [
        {"run": {}},
        {"run": {"name": 3}},
        {"phases": [{}]},
        {"phases": [{"name": "fault", "start_s": None, "end_s": 1}]},
        {"measures": {"ttft.p95": 3}},
        {"verdict": {"verdict": None}},
        {"proofs": []},
    ],
)
def test_a_report_with_a_part_of_another_shape_is_skipped(tmp_path: Path, change: dict[str, object]) -> None:
    folder = write_run(tmp_path / "run", {**report_of(VALUES), **change})
    found = read_run(folder / "report.json")
    assert isinstance(found, Skipped)
    assert "damaged" in found.why


def test_a_start_that_is_no_text_is_skipped(tmp_path: Path) -> None:
    report = report_of(VALUES)
    report["run"]["started_at"] = 5
    assert isinstance(read_run(write_run(tmp_path / "run", report) / "report.json"), Skipped)


def test_a_report_that_is_a_folder_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "report.json").mkdir()
    with pytest.raises(UserError, match=r"no run with a report\.json"):
        read_runs([tmp_path])


def test_one_damaged_report_does_not_hide_the_others(tmp_path: Path) -> None:
    write_run(tmp_path / "good", report_of(VALUES))
    write_run(tmp_path / "old", {"schema": 1})
    runs, skipped = read_runs([tmp_path])
    assert [run.folder.name for run in runs] == ["good"]
    assert [one.path.parent.name for one in skipped] == ["old"]


def test_folders_without_a_run_are_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="brownout report RUN"):
        read_runs([tmp_path])
    with pytest.raises(UserError, match=r"is not there\. Name a folder with runs"):
        read_runs([tmp_path / "nothing"])
    write_run(tmp_path / "old", {"schema": 1})
    with pytest.raises(UserError, match="none of the 1 reports here can be read"):
        read_runs([tmp_path])


def test_infinite_values_are_read_from_their_words() -> None:
    assert number_of("never") == float("inf")
    assert number_of("-never") == float("-inf")
    assert number_of("other") is None
    assert json.loads("1") == number_of(1)
