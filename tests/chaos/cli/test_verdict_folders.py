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
