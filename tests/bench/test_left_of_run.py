"""What counts as left of a run that has ended."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from bench.left_of_run import members
from chaos.supervision.link import RUN_MARK


def test_a_process_of_another_run_with_the_same_name_is_not_left(tmp_path: Path) -> None:
    mine, other = tmp_path / "a" / "20260101-000000-x", tmp_path / "b" / "20260101-000000-x"
    for folder in (mine, other):
        folder.mkdir(parents=True)
    environment = {**os.environ, RUN_MARK: f"{mine.name}/0123"}
    with (other / "gateway.log").open("w") as log:
        process = subprocess.Popen(["sleep", "60"], env=environment, stdout=log)
    try:
        assert members(other) == [process.pid]
        assert members(mine) == []
    finally:
        process.kill()
        process.wait()
    assert members(other) == []
