"""For benchmarks of whole runs: results kept as JSON lines, runs in parallel.

A run is a cell of a table. Cells that are in the file are not run again; an incomplete last line is ignored. Ctrl-C and
SIGTERM interrupt the active runs, which then revert their faults; so does the death of the benchmark.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, TypeVar

from bench.tied import tied
from brownout.children import python_words
from brownout.search_path import own_environment

__all__ = ["Results", "Row", "in_parallel", "play", "play_series", "slim"]

Row = dict[str, Any]
T = TypeVar("T")

RESULTS = Path(__file__).with_name("results")
RUN_TIMEOUT_S = 600
VERDICTS = {0: "pass", 1: "fail", 3: "inconclusive", 4: "aborted", 5: "failed", 130: "interrupted", -2: "interrupted"}
"""By exit code; -2 is the end by SIGINT before the command could handle it."""
HEAVY = ("spans", "spans.parquet", "gauges.jsonl", "children", "logs")
"""Parts of a record that only a new analysis needs."""

_running: set[subprocess.Popen[str]] = set()
_interrupted = threading.Event()


class Results:
    """A file of JSON lines below `RESULTS`, or at an absolute path. `rows`: its content. `again`: delete it first."""

    def __init__(self, name: str | Path, *, again: bool = False) -> None:
        self.path = RESULTS / name
        if again:
            self.path.unlink(missing_ok=True)
        self.rows: list[Row] = list(self._read())

    def _read(self) -> Iterator[Row]:
        for line in self.path.read_text().splitlines() if self.path.exists() else ():
            with contextlib.suppress(ValueError):
                yield json.loads(line)

    def keep(self, row: Row) -> None:
        """Append a row to the file."""
        self.rows.append(row)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")


def play(experiment: str, *options: str, runs: Path) -> tuple[Row, Path | None]:
    """Run one experiment with `brownout run` below `runs`. Returns its row, and its record or None.

    The row: `exit`, `verdict`, `gates` (text -> verdict, value, unit), `headline_gate`, `doubts`, `run`; without a
    report only `exit`, `verdict` and `output` (the end of the output).
    """
    row, folders = _brownout_run(experiment, *options, runs=runs, timeout_s=RUN_TIMEOUT_S)
    if not folders:
        return row, None
    return {**row, **_of_report(folders[0])}, folders[0]


def play_series(experiment: str, *options: str, retries: int, runs: Path) -> tuple[Row, list[Path]]:
    """Run one experiment with `--retry-inconclusive` below `runs`. Returns its row, and the records of its runs.

    The row: `exit`, `verdict` (of the last run) and `plays`, a row as of `play` for each run; `output` if there is no
    report. `retries` 0: without the option.
    """
    again = ("--retry-inconclusive", str(retries)) if retries else ()
    row, folders = _brownout_run(experiment, *options, *again, runs=runs, timeout_s=RUN_TIMEOUT_S * (1 + retries))
    plays = [_of_report(folder) for folder in folders]
    if plays and row["exit"] not in (5, 130):  # those may be of a further run, which has no report
        row["verdict"] = plays[-1]["verdict"]
    return {**row, "plays": plays}, folders


def _brownout_run(experiment: str, *options: str, runs: Path, timeout_s: float) -> tuple[Row, list[Path]]:
    """Play it; its exit code, the verdict of that, and the new folders with a report, oldest first."""
    runs.mkdir(parents=True, exist_ok=True)
    before = _reports(runs)
    command = python_words("-m", "chaos.cli.app", "run", experiment, *options, "--runs", str(runs), "--quiet")
    process = subprocess.Popen(
        tied(command, signal.SIGINT),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=own_environment(os.environ),
    )
    _running.add(process)
    if _interrupted.is_set():  # after it looked for active runs
        process.send_signal(signal.SIGINT)
    try:
        output, _ = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate()
    finally:
        _running.discard(process)
    row: Row = {"exit": process.returncode, "verdict": VERDICTS.get(process.returncode, str(process.returncode))}
    new = sorted(_reports(runs) - before, key=lambda path: path.stat().st_mtime)
    if not new:  # not judged, whatever the exit code: Python's own for a crash is 1
        row |= {"verdict": "interrupted" if row["verdict"] == "interrupted" else "failed", "output": output[-400:]}
    return row, [path.parent for path in new]


def _reports(runs: Path) -> set[Path]:
    """The reports below this folder, each once: not those that the link `latest` leads to."""
    return {path for path in runs.glob("*/report.json") if not path.parent.is_symlink()}


def _of_report(folder: Path) -> Row:
    report = json.loads((folder / "report.json").read_text())
    return {
        "verdict": report["verdict"]["verdict"],
        "gates": {
            gate["text"]: {key: gate[key] for key in ("verdict", "value", "unit")}
            for gate in [*report["steady_state"], *report["gates"]]
        },
        "headline_gate": report["run"]["headline_gate"],
        "doubts": report["proofs"]["doubts"],
        "run": folder.name,
    }


def slim(folder: Path | None) -> None:
    """Delete all of a record but its reports and events."""
    if folder is None:
        return
    for name in HEAVY:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def in_parallel(cells: Sequence[T], jobs: int, one: Callable[[T], Row]) -> Iterable[Row]:
    """Yield `one(cell)` of each cell, `jobs` at a time, as they complete. An exception interrupts the active runs."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    _interrupted.clear()
    pool = ThreadPoolExecutor(max_workers=jobs)
    futures = [pool.submit(one, cell) for cell in cells]
    try:
        for done in as_completed(futures):
            yield done.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        _interrupted.set()
        for process in list(_running):
            process.send_signal(signal.SIGINT)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
