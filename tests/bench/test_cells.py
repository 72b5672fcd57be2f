"""Stored results, and runs in parallel."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from bench import cells
from bench.cells import Results, in_parallel, play, play_series
from tests.support.run_helpers import write_experiment


def test_results_are_json_lines_and_an_incomplete_one_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "RESULTS", tmp_path)
    Results("r.jsonl").keep({"a": 1})
    with (tmp_path / "r.jsonl").open("a") as file:
        file.write('{"a": ')
    assert Results("r.jsonl").rows == [{"a": 1}]
    assert Results("r.jsonl", again=True).rows == []
    Results(tmp_path / "else" / "where" / "s.jsonl").keep({"b": 2})
    assert Results(tmp_path / "else" / "where" / "s.jsonl").rows == [{"b": 2}]


def test_the_given_number_of_runs_is_active_at_a_time() -> None:
    together = threading.Barrier(2, timeout=10)  # breaks unless two runs are active at once

    def one(cell: int) -> dict[str, Any]:
        together.wait()
        return {"cell": cell}

    assert sorted(row["cell"] for row in in_parallel([1, 2, 3, 4], 2, one)) == [1, 2, 3, 4]


@pytest.mark.parametrize("code", [0, 1, 3])
def test_a_run_without_a_report_is_failed_whatever_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(cells, "tied", lambda command, signum: ["sh", "-c", f"echo crashed; exit {code}"])
    row, record = play("cut-streams", runs=tmp_path)
    assert (row["exit"], row["verdict"], row["output"], record) == (code, "failed", "crashed\n", None)
    row, records = play_series("cut-streams", retries=1, runs=tmp_path)
    assert (row["exit"], row["verdict"], row["plays"], records) == (code, "failed", [], [])


def test_a_series_has_a_row_for_each_run_and_the_verdict_of_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def report(verdict: str) -> str:
        made = {
            "verdict": {"verdict": verdict},
            "gates": [{"text": "calls > 0", "verdict": verdict, "value": 1, "unit": "count", "why": ""}],
            "steady_state": [],
            "run": {"headline_gate": "calls > 0"},
            "proofs": {"doubts": []},
        }
        return json.dumps(made)

    class Stopped:
        """Stands in for the command: it writes two reports."""

        returncode = 1

        def __init__(self, command: list[str], **_: object) -> None:
            self.command = command

        def communicate(self, timeout: float) -> tuple[str, None]:
            assert self.command[-7:-3] == ["--seed", "4", "--retry-inconclusive", "2"]
            for number, verdict in enumerate(("inconclusive", "overloaded")):
                folder = tmp_path / f"run-{9 - number}"  # not in the order of their names
                folder.mkdir()
                (folder / "report.json").write_text(report(verdict))
                os.utime(folder / "report.json", (number, number))
            return "", None

    monkeypatch.setattr("bench.cells.subprocess.Popen", Stopped)
    row, records = play_series("cut-streams", "--seed", "4", retries=2, runs=tmp_path)
    assert (row["exit"], row["verdict"]) == (1, "overloaded")
    assert [(one["run"], one["verdict"]) for one in row["plays"]] == [
        ("run-9", "inconclusive"),
        ("run-8", "overloaded"),
    ]
    assert row["plays"][1]["gates"] == {"calls > 0": {"verdict": "overloaded", "value": 1, "unit": "count"}}
    assert [path.name for path in records] == ["run-9", "run-8"]


def test_a_run_that_starts_while_the_bench_is_interrupted_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "_interrupted", threading.Event())
    cells._interrupted.set()
    row, _ = play(str(write_experiment(tmp_path)), runs=tmp_path / "runs")
    assert row["verdict"] == "interrupted"
