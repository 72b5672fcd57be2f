"""`brownout serve stack`: it ends when it is told to, and when a part of it is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.run_helpers import kill_all_of, of_run, until, write_experiment

pytestmark = pytest.mark.slow


class Served:
    """A `brownout serve stack` of a small stack, whose replicas are ready."""

    def __init__(self, folder: Path) -> None:
        write_experiment(folder)
        self.runs = folder / "runs"
        command = [sys.executable, "-m", "chaos.cli.app", "serve", "stack", "--stack", str(folder / "small-stack.yaml")]
        with (folder / "output").open("wb") as output:
            self.process = subprocess.Popen(
                [*command, "--runs", str(self.runs)], stdout=output, stderr=output, start_new_session=True
            )
        self._output = folder / "output"
        until(lambda: "right-0 (" in self.output, "the stack is ready", 60)

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def folder(self) -> Path:
        return next(self.runs.glob("*-*"))

    def shepherd(self) -> int:
        undo = str(self.folder / "undo.jsonl")
        return next(pid for pid in of_run(self.folder) if undo in Path(f"/proc/{pid}/cmdline").read_text())


def test_ctrl_c_ends_the_stack_in_5_seconds(tmp_path: Path) -> None:
    served = Served(tmp_path)
    try:
        at = time.monotonic()
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(20) == 0, served.output
        assert time.monotonic() - at < 5.0
        until(lambda: not of_run(served.folder), "the end of every process")
    finally:
        kill_all_of(tmp_path)


@pytest.mark.long
def test_a_stack_whose_shepherd_is_gone_ends_and_says_so(tmp_path: Path) -> None:
    served = Served(tmp_path)
    try:
        os.kill(served.shepherd(), signal.SIGKILL)
        assert served.process.wait(20) == 5, served.output
        assert "the shepherd" in served.output
        assert "Traceback" not in served.output
        until(lambda: not of_run(served.folder), "the end of every process")
    finally:
        kill_all_of(tmp_path)
