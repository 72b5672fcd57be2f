"""A run and a comparison of runs, for the tests of the writers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reports.analysis import analyse
from reports.comparison.side_by_side import compare, read_report
from reports.writers.json_report import write_json
from tests.support.record_builder import RecordBuilder, good_run, migrated


@pytest.fixture
def run(tmp_path: Path) -> RecordBuilder:
    """A run with one gate that passes, one that fails and two that are inconclusive."""
    builder = good_run(tmp_path / "run", sessions=100)
    builder.experiment["gates"] = [
        "sessions_lost == 0",
        "ttft.p95 in baseline <= 100 ms",
        "ttft.p99 in baseline <= 2 s",
        "failover.max <= 5 s",
    ]
    return builder


@pytest.fixture
def compared(tmp_path: Path) -> dict[str, Any]:
    """Two runs side by side: a good one, and one that lost three sessions, on a stack with `<b>|` in its name."""
    for name, stack, lost in (("a", "well", 0), ("b", "<b>|naive", 3)):
        builder = good_run(tmp_path / name, sessions=30)
        builder.experiment.update(
            gates=["sessions_lost == 0", "calls >= 1", "failover.max <= 5 s"],
            headline_gate="sessions_lost == 0",
            stack={"name": stack, "model": "m", "replicas": []},
        )
        builder.fault()
        builder.call("m", 0, 19.4, gaps={3: 0.9}, ups=migrated(20.01, resumed=20.84, sent=19.4, passed_on=3))
        builder.session("m", 19.4, 21.0)
        for index in range(lost):
            builder.session(f"x{index}", 7.0, 9.0, "lost")
        folder = builder.write()
        write_json(analyse(folder, write=False), folder)
    return compare([read_report(tmp_path / "a"), read_report(tmp_path / "b")])
