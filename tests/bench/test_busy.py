"""Runs beside busy processes: the cells, what counts as wrong or decided, the table, and that nothing outlives it."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bench import busy
from bench.busy import Cell, cells_of, decided, decided_at_once, main, origin, problems, table, wrong_plays
from bench.cells import Results
from brownout.children import python_words
from tests.support.paths import ROOT
from tests.support.run_helpers import kill_all_of, of_run, until, write_experiment


def row(stack: str, beside: int, *verdicts: str, seed: int = 1, **more: Any) -> dict[str, Any]:
    """A row whose runs had these verdicts."""
    plays = [{"verdict": verdict, "run": f"run-{number}"} for number, verdict in enumerate(verdicts, start=1)]
    return {
        "experiment": "lose-trainium-pool",
        "stack": stack,
        "busy": beside,
        "seed": seed,
        "retries": 2,
        "exit": 0,
        "verdict": verdicts[-1] if verdicts else "failed",
        "plays": plays,
        "busy_cores": 0.75 * beside,
        "seconds": 360.0,
        "commit": "abc",
        "machine": "2 cores",
        **more,
    }


def test_cells_are_stacks_with_numbers_of_busy_processes() -> None:
    assert cells_of("multi-cloud:0, naive:8,multi-cloud:0") == [Cell("multi-cloud", 0), Cell("naive", 8)]
    assert len(cells_of(busy.DEFAULT_CELLS)) == 8


@pytest.mark.parametrize(
    "text", ["", "naive", "naive:", "naive:x", "naive:-1", "naive:65", "other:2", "naive:2;naive:4"]
)
def test_a_bad_cell_is_an_error_that_says_what_is_right(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="as in naive:2"):
        cells_of(text)


@pytest.mark.parametrize(
    "options",
    [["--runs", "0"], ["--runs", "x"], ["--retries", "11"], ["--first-seed", "-1"], ["--jobs", "2"]],
)
def test_bad_options_are_errors_before_any_run(options: list[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(options)
    assert exit.value.code == 2


@pytest.mark.parametrize("verdict", ["fail", "metastable", "overloaded"])
def test_a_fail_is_wrong_on_multi_cloud_only(verdict: str) -> None:
    assert [one["run"] for one in wrong_plays(row("multi-cloud", 8, "inconclusive", verdict))] == ["run-2"]
    assert wrong_plays(row("naive", 8, "inconclusive", verdict)) == []


def test_a_pass_is_wrong_on_naive_only() -> None:
    assert wrong_plays(row("naive", 0, "pass"))
    assert wrong_plays(row("multi-cloud", 0, "pass")) == []


def test_a_run_that_was_not_judged_is_neither_wrong_nor_decided() -> None:
    for verdict in ("inconclusive", "aborted", "failed"):
        for stack in busy.WRONG:
            assert wrong_plays(row(stack, 2, verdict)) == []
        assert not decided(row("naive", 2, verdict))
    assert not decided_at_once(row("naive", 2))
    assert not decided_at_once(row("naive", 2, "inconclusive", "fail"))
    assert decided(row("naive", 2, "inconclusive", "fail"))


def test_the_table_has_verdicts_shares_and_hours_of_each_cell() -> None:
    rows = [
        row("multi-cloud", 2, "pass"),
        row("multi-cloud", 2, "inconclusive", "pass", seed=2),
        row("multi-cloud", 2, "inconclusive", "inconclusive", "inconclusive", seed=3),
        row("multi-cloud", 2, "inconclusive", "fail", seed=4),
        row("naive", 0, "fail"),
    ]
    lines = table(rows, cells_of("multi-cloud:2,naive:0,naive:2"), 10).splitlines()
    assert lines[2:] == [
        "| multi-cloud | 2 | 4 of 10 | 2 pass, 1 inconclusive, 1 fail "
        "| 1 of 4 (25%) | 3 of 4 (75%) | 1 | 1.50 | 0.40 |",
        "| naive | 0 | 1 of 10 | 1 fail | 1 of 1 (100%) | 1 of 1 (100%) | 0 |  | 0.10 |",
    ]
    assert {line.count("|") for line in lines} == {10}


def quiet(at_once: int) -> list[dict[str, Any]]:
    """Ten rows without busy processes; the others were decided by a retry."""
    return [row("multi-cloud", 0, *(["inconclusive"] * (seed >= at_once)), "pass", seed=seed) for seed in range(10)]


def beside_two(with_retries: int) -> list[dict[str, Any]]:
    """Ten rows beside two busy processes; the others were never decided."""
    return [row("naive", 2, "inconclusive", "fail" if seed < with_retries else "inconclusive") for seed in range(10)]


def test_9_of_10_quiet_runs_must_be_decided_at_once() -> None:
    assert problems(quiet(9), cells_of("multi-cloud:0")) == []
    assert problems(quiet(8), cells_of("multi-cloud:0")) == [
        "Too few decided: multi-cloud beside 0 busy processes: 8 of 10 at once (at least 90%)"
    ]


def test_half_of_the_runs_beside_two_must_be_decided_with_retries() -> None:
    assert problems(beside_two(5), cells_of("naive:2")) == []
    assert problems(beside_two(4), cells_of("naive:2")) == [
        "Too few decided: naive beside 2 busy processes: 4 of 10 with retries (at least 50%)"
    ]


def test_beside_more_processes_only_a_wrong_verdict_is_a_problem() -> None:
    rows = [row("multi-cloud", 8, "inconclusive"), row("multi-cloud", 8, "inconclusive", "overloaded", seed=2)]
    assert problems(rows, cells_of("multi-cloud:8")) == [
        "Wrong verdict: multi-cloud beside 8 busy processes, seed 2: overloaded (run-2)"
    ]


def test_results_of_several_commits_or_machines_are_warned_about() -> None:
    rows = [row("naive", 0, "fail"), row("naive", 0, "inconclusive", "fail", seed=2)]
    assert origin(rows) == [
        "Experiment `lose-trainium-pool`, seeds 1, 2, at most 2 retries: 3 runs in 0.20 hours.",
        "Code: commit abc. Machine: 2 cores.",
    ]
    warnings = origin([*rows, row("naive", 2, "fail", commit="def+changes", machine="4 cores")])[2:]
    assert warnings == [
        "Warning: the results come from 2 commits. `--again` discards them.",
        "Warning: +changes: files of the checkout differed from the commit.",
        "Warning: the results come from 2 machines.",
    ]


class Played:
    """Stands in for the runs: the cells that were played, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, broken: dict[str, Any] | None = None) -> None:
        self.cells: list[tuple[str, int, int]] = []
        self._broken = broken or {}
        monkeypatch.setattr(busy, "play_cell", self.play)

    def play(self, cell: Cell, seed: int, options: argparse.Namespace) -> dict[str, Any]:
        self.cells.append((cell.stack, cell.busy, seed))
        own = {"experiment": options.experiment, "retries": options.retries, **self._broken}
        return row(cell.stack, cell.busy, "pass" if cell.stack == "multi-cloud" else "fail", seed=seed, **own)


def test_stored_cells_are_not_played_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(monkeypatch)
    results = tmp_path / "rows.jsonl"
    options = ["--results", str(results), "--cells", "multi-cloud:0,naive:2"]
    assert main([*options, "--runs", "1"]) == 0
    assert main([*options, "--runs", "2"]) == 0
    assert played.cells == [
        ("multi-cloud", 0, 1),
        ("naive", 2, 1),
        ("multi-cloud", 0, 2),
        ("naive", 2, 2),
    ]
    assert main([*options, "--runs", "1", "--experiment", "cut-streams"]) == 0
    assert main([*options, "--runs", "1", "--retries", "0"]) == 0
    assert len(played.cells) == 8
    assert len(Results(results).rows) == 8


def test_the_stored_results_are_printed_without_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    played = Played(monkeypatch)
    results = Results(tmp_path / "rows.jsonl")
    results.keep(row("naive", 8, "pass"))
    results.keep(row("naive", 8, "inconclusive", seed=2, experiment="cut-streams"))
    assert main(["--table", "--results", str(results.path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "| naive | 8 | 1 of 10 | 1 pass | 1 of 1 (100%) | 1 of 1 (100%) | 1 | 6.00 | 0.10 |" in lines
    assert "Wrong verdict: naive beside 8 busy processes, seed 1: pass (run-1)" in lines
    assert played.cells == []


@pytest.mark.parametrize(
    ("broken", "code"), [({"verdict": "interrupted", "exit": 130}, 130), ({"exit": 2, "output": "no such file"}, 2)]
)
def test_interrupted_and_refused_runs_end_the_bench_and_are_not_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: dict[str, Any], code: int
) -> None:
    played = Played(monkeypatch, broken=broken)
    results = tmp_path / "rows.jsonl"
    assert main(["--results", str(results), "--cells", "naive:0", "--runs", "1"]) == code
    assert len(played.cells) == 1
    assert Results(results).rows == []


@pytest.mark.long
@pytest.mark.parametrize(
    ("signum", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_nothing_outlives_the_bench(tmp_path: Path, signum: signal.Signals, status: int) -> None:
    """Not the busy processes, and not the run, its replicas and its shepherd."""
    experiment = write_experiment(tmp_path, fault="{at: 0s, for: 2s, kill: {pool: tpu}}")
    words = ["--experiment", str(experiment), "--cells", "multi-cloud:1", "--runs", "1"]
    folders = ["--records", str(tmp_path / "runs"), "--results", str(tmp_path / "rows.jsonl")]
    bench = subprocess.Popen(
        python_words("-m", "bench.busy", *words, *folders),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MARK": str(tmp_path)},
        start_new_session=True,
    )
    try:
        until(lambda: load_has_begun(tmp_path), "the load of the run", within_s=60)
        assert any(b"while True" in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in of_run(tmp_path))
        bench.send_signal(signum)
        bench.communicate(timeout=60)
        until(lambda: not of_run(tmp_path), "the end of every process", within_s=30)
    finally:
        bench.kill()
        bench.communicate()
        kill_all_of(tmp_path)
    assert bench.returncode == status
    assert Results(tmp_path / "rows.jsonl").rows == []


def load_has_begun(folder: Path) -> bool:
    """Whether the warmup of a run below the folder has begun."""
    return any('"warmup"' in path.read_text() for path in folder.glob("runs/*/*/events.jsonl"))
