"""The analysis as a child process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chaos.runner.analysis_child import AnalysisChild
from reports.shared.errors import TargetFailed, UserError
from tests.support.record_builder import good_run
from tests.support.run_helpers import of_run, until
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


def test_an_earlier_report_is_kept_until_there_is_a_new_one(tmp_path: Path) -> None:
    path = good_run(tmp_path / "run").write()
    assert AnalysisChild(path).finish() == 0
    report = (path / "report.json").read_bytes()
    child = AnalysisChild(path)
    os.kill(child._process.pid, signal.SIGKILL)
    with pytest.raises(TargetFailed, match="killed by SIGKILL"):
        child.finish()
    assert (path / "report.json").read_bytes() == report
    (path / "events.jsonl").unlink()
    for spans in (path / "spans").iterdir():
        spans.unlink()
    with pytest.raises(UserError, match="has no record of a run"):
        AnalysisChild(path).finish()
    assert (path / "report.json").read_bytes() == report


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


def test_an_analysis_does_not_outlive_the_command_that_started_it(tmp_path: Path) -> None:
    """It is stopped here, so that it cannot end by itself, as one that takes minutes."""
    path = good_run(tmp_path / "run").write()
    code = (
        "import sys, time; from pathlib import Path; from chaos.runner.analysis_child import AnalysisChild\n"
        "child = AnalysisChild(Path(sys.argv[1])); print(child._process.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) as command:
        try:
            assert command.stdout is not None
            analysis = int(command.stdout.readline())
            assert analysis in of_run(path)
            until(lambda: os.getpriority(os.PRIO_PROCESS, analysis) > os.getpriority(os.PRIO_PROCESS, 0), "its begin")
            os.kill(analysis, signal.SIGSTOP)
        finally:
            command.kill()
    try:
        until(lambda: analysis not in of_run(path), "the end of the analysis", 10)
    finally:
        if analysis in of_run(path):
            os.kill(analysis, signal.SIGKILL)


def test_an_analysis_interrupted_by_another_thread_is_said(tmp_path: Path) -> None:
    child = AnalysisChild(good_run(tmp_path / "run").write())
    with ThreadPoolExecutor() as threads:
        finishing = threads.submit(child.finish)
        child.interrupt()
        with pytest.raises(TargetFailed, match="was interrupted.*brownout report"):
            finishing.result(timeout=20)
