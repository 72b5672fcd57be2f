"""The analysis as a child process."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from chaos.runner.analysis_child import AnalysisChild
from reports.shared.errors import TargetFailed, UserError
from tests.support.record_builder import good_run
from tests.support.small_disk import fill, small_disk


def test_a_folder_without_a_record_of_a_run_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(b"\x00\xff not ours\n")
    with pytest.raises(UserError, match="has no record of a run"):
        AnalysisChild(tmp_path).finish()


def test_an_analysis_that_is_killed_is_said_with_the_way_to_repeat_it(tmp_path: Path) -> None:
    """As the kernel does when there is no free memory."""
    path = good_run(tmp_path / "run").write()
    child = AnalysisChild(path)
    os.kill(child._process.pid, signal.SIGKILL)
    with pytest.raises(TargetFailed, match=rf"killed by SIGKILL .*brownout report {path}"):
        child.finish()


def test_a_report_that_does_not_fit_on_the_disk_is_said_without_a_traceback(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", size="600k") as disk:
        path = good_run(disk / "run").write()
        fill(disk)
        with pytest.raises(TargetFailed) as raised:
            AnalysisChild(path).finish()
    text = str(raised.value)
    assert "report.json could not be written: No space left on device" in text
    assert f"the record is kept: make the reports with brownout report {path}" in text
    assert "Traceback" not in text
