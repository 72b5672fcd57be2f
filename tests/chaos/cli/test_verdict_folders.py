"""The name of a folder that cannot be looked at is a mistake of the user, in every command that takes one."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.cli.heal import heal_runs
from chaos.cli.verdict import existing_run, report_run
from reports.shared.errors import UserError

TOO_LONG = Path("x" * 300)


def test_a_name_that_is_too_long_is_refused_with_a_message(tmp_path: Path) -> None:
    for command in (existing_run, report_run, lambda run: heal_runs(run, runs=tmp_path, dry_run=True)):
        with pytest.raises(UserError, match="cannot be read: File name too long"):
            command(TOO_LONG)


def test_an_empty_a_missing_and_no_folder_are_refused_with_a_message(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "missing", tmp_path / "file"):
        with pytest.raises(UserError, match=r"no record of a run is here \(events\.jsonl is missing\)"):
            report_run(path)


def test_the_folder_of_a_gate_is_refused_with_the_names_of_its_runs(tmp_path: Path) -> None:
    gate = tmp_path / "gate-1"
    for number in range(22):
        (gate / "runs" / f"small-{number:02}").mkdir(parents=True)
        (gate / "runs" / f"small-{number:02}" / "events.jsonl").touch()
    (gate / "runs" / "latest").symlink_to("small-00")
    (gate / "gate.json").touch()
    (tmp_path / "latest").symlink_to("gate-1")
    for command in (existing_run, report_run):
        with pytest.raises(UserError, match="the folder of a gate") as caught:
            command(tmp_path / "latest")
        lines = str(caught.value).splitlines()
        assert lines[1] == f"    {tmp_path / 'latest' / 'runs' / 'small-00'}"
        assert (len(lines), lines[-1]) == (22, "    and 2 more")


def test_the_folder_of_a_gate_without_runs_says_so(tmp_path: Path) -> None:
    (tmp_path / "gate.json").touch()
    with pytest.raises(UserError, match="a gate that has no runs"):
        existing_run(tmp_path)
