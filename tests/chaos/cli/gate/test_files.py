"""The files of a gate."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from chaos.cli.gate.files import FILES, tell_github, write_files
from reports.shared.errors import TargetFailed
from tests.support.gate_results import failed_result


def test_each_file_is_written(tmp_path: Path) -> None:
    write_files(failed_result(), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)


def test_a_folder_that_is_gone_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(TargetFailed, match="Records of runs are kept"):
        write_files(failed_result(), tmp_path / "gone")


def test_outside_of_github_nothing_is_printed() -> None:
    out = io.StringIO()
    assert tell_github(failed_result(), {}, {}, out) == ""
    assert out.getvalue() == ""
