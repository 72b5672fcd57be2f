"""`brownout compare`: invalid folders. Real comparisons: `test_side_by_side.py`."""

from __future__ import annotations

from pathlib import Path

from tests.support.run_helpers import brownout


def test_a_folder_without_a_record_is_an_error_with_exit_code_2(tmp_path: Path) -> None:
    done = brownout("compare", str(tmp_path), str(tmp_path / "nothing"))
    assert done.returncode == 2
    assert "no record of a run" in done.stderr
    assert "Traceback" not in done.stderr
