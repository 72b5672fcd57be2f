"""A child that gets a signal when its parent dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.tied import tied
from tests.support.paths import ROOT
from tests.support.run_helpers import kill_all_of, of_run, until

PARENT = """
import signal, subprocess, sys
from bench.tied import tied
child = "import time; print('up', flush=True); time.sleep(600)"
process = subprocess.Popen(tied([sys.executable, "-c", child], signal.SIGKILL), stdout=subprocess.PIPE)
process.stdout.readline()
print("up", flush=True)
process.wait()
"""


def test_the_child_runs_the_command_with_its_arguments_and_environment() -> None:
    code = "import os, sys; print(sys.argv[1:], os.environ['MARK']); sys.exit(7)"
    command = tied([sys.executable, "-c", code, "a b", "--c"], signal.SIGKILL)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "MARK": "m"})
    assert (done.returncode, done.stdout, done.stderr) == (7, "['a b', '--c'] m\n", "")


def test_the_child_obeys_an_interrupt_where_its_parent_ignores_it() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does for a command in the background
    try:
        code = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
        done = subprocess.run(tied([sys.executable, "-c", code], signal.SIGKILL), capture_output=True, text=True)
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.stdout == "True\n"


def test_the_child_of_a_killed_parent_is_killed(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MARK": str(tmp_path)}
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env=environment)
    try:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        assert len(of_run(tmp_path)) == 2
        parent.kill()
        parent.communicate()
        until(lambda: not of_run(tmp_path), "the end of the child")
    finally:
        parent.kill()
        kill_all_of(tmp_path)


def test_a_child_whose_parent_has_died_already_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)  # the child compares this with its parent, which is not process 1
    done = subprocess.run(tied(["/bin/echo", "ran"], signal.SIGKILL), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "the benchmark has ended" in done.stderr
