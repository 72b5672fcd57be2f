"""The lock of a run's folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.supervision.run_lock import RunLocked, lock_folder, locked, who_holds
from reports.shared.errors import UserError
from tests.support.paths import ROOT

HOLD = """
import sys
from pathlib import Path
from chaos.supervision.run_lock import lock_folder
held = lock_folder(Path(sys.argv[1]))
print(1, flush=True)
sys.stdin.read()
"""


def test_the_lock_is_held_by_one_process_and_ends_with_it(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == b"1\n"
        with pytest.raises(BlockingIOError):
            lock_folder(tmp_path)
        assert [(one.what, one.pid) for one in who_holds(tmp_path)] == [("runner", holder.pid)]
        with pytest.raises(RunLocked, match=f"process {holder.pid}"), locked(tmp_path):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with locked(tmp_path), pytest.raises(BlockingIOError):
        lock_folder(tmp_path)
    assert who_holds(tmp_path) == []


def test_a_second_heal_waits_for_the_first_and_then_gives_up(tmp_path: Path) -> None:
    (tmp_path / "undo.jsonl").touch()
    with locked(tmp_path), pytest.raises(RunLocked, match="another `brownout heal`"), locked(tmp_path, wait_s=0.1):
        pass
    with locked(tmp_path):
        pass


def test_a_folder_that_cannot_be_opened_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be opened"), locked(tmp_path / "none"):
        pass
