"""Stored results, and runs in parallel."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from bench import cells
from bench.cells import Results, in_parallel


def test_results_are_json_lines_and_an_incomplete_one_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "RESULTS", tmp_path)
    Results("r.jsonl").keep({"a": 1})
    with (tmp_path / "r.jsonl").open("a") as file:
        file.write('{"a": ')
    assert Results("r.jsonl").rows == [{"a": 1}]
    assert Results("r.jsonl", again=True).rows == []


def test_the_given_number_of_runs_is_active_at_a_time() -> None:
    together = threading.Barrier(2, timeout=10)  # breaks unless two runs are active at once

    def one(cell: int) -> dict[str, Any]:
        together.wait()
        return {"cell": cell}

    assert sorted(row["cell"] for row in in_parallel([1, 2, 3, 4], 2, one)) == [1, 2, 3, 4]
