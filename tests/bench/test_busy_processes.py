"""Busy processes run during a block, each in a session of its own, and never longer."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from bench.busy_processes import busy_processes
from tests.support.run_helpers import of_run, until


def test_each_is_in_a_session_of_its_own_and_uses_the_cpu() -> None:
    with busy_processes(2) as beside:
        assert len(beside.pids) == 2
        assert [os.getsid(pid) for pid in beside.pids] == beside.pids
        until(lambda: beside.cores() > 0.02, "CPU used by the busy processes")


def test_none_is_left_after_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARK", str(tmp_path))
    with busy_processes(2) as beside:
        pids = beside.pids
        assert sorted(of_run(tmp_path)) == sorted(pids)
    assert of_run(tmp_path) == []


def test_none_is_left_after_an_error_in_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARK", str(tmp_path))
    seen: list[int] = []

    def interrupted() -> None:
        with busy_processes(1):
            seen.extend(of_run(tmp_path))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(seen) == 1
    assert of_run(tmp_path) == []


def test_one_that_ended_early_is_an_error() -> None:
    with busy_processes(1) as beside:
        os.kill(beside.pids[0], signal.SIGTERM)
        with pytest.raises(RuntimeError, match="ended early"):
            until(lambda: beside.cores() < 0, "the end of the busy process")


def test_a_quiet_block_has_none() -> None:
    with busy_processes(0) as beside:
        assert (beside.pids, beside.cores()) == ([], 0.0)
