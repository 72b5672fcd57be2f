"""For benchmarks of whole runs: results kept as JSON lines, runs in parallel.

A run is a cell of a table. Cells that are in the file are not run again; an incomplete last line is ignored. Ctrl-C and
SIGTERM interrupt the active runs, which then revert their faults.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["Results", "Row", "in_parallel", "play", "slim"]

Row = dict[str, Any]
T = TypeVar("T")

RESULTS = Path(__file__).with_name("results")
RUN_TIMEOUT_S = 600
VERDICTS = {0: "pass", 1: "fail", 3: "inconclusive", 4: "aborted", 5: "failed", 130: "interrupted"}
HEAVY = ("spans", "spans.parquet", "gauges.jsonl", "children", "logs")
"""Parts of a record that only a new analysis needs."""

_running: set[subprocess.Popen[str]] = set()


class Results:
    """A file of JSON lines below `RESULTS`. `rows`: its content. `again`: delete it first."""

    def __init__(self, name: str, *, again: bool = False) -> None:
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
        self.path.parent.mkdir(exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")


def play(experiment: str, *options: str, runs: Path) -> tuple[Row, Path | None]:
    """Run one experiment with `brownout run` below `runs`. Returns its row, and its record or None.

    The row: `exit`, `verdict`, `gates` (text -> verdict, value, unit), `headline_gate`, `doubts`, `run`; without a
    report only `exit`, `verdict` and `output` (the end of the output).
    """
    runs.mkdir(parents=True, exist_ok=True)
    before = set(runs.glob("*/report.json"))
    command = [sys.executable, "-m", "chaos.cli.app", "run", experiment, *options, "--runs", str(runs), "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    _running.add(process)
    try:
        output, _ = process.communicate(timeout=RUN_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate()
    finally:
        _running.discard(process)
    row: Row = {"exit": process.returncode, "verdict": VERDICTS.get(process.returncode, str(process.returncode))}
    new = sorted(set(runs.glob("*/report.json")) - before)
    if not new:
        return {**row, "output": output[-400:]}, None
    report = json.loads(new[0].read_text())
    row["verdict"] = report["verdict"]["verdict"]
    row["gates"] = {
        gate["text"]: {key: gate[key] for key in ("verdict", "value", "unit")}
        for gate in [*report["steady_state"], *report["gates"]]
    }
    row["headline_gate"] = report["run"]["headline_gate"]
    row["doubts"] = report["proofs"]["doubts"]
    row["run"] = new[0].parent.name
    return row, new[0].parent


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
    pool = ThreadPoolExecutor(max_workers=jobs)
    futures = [pool.submit(one, cell) for cell in cells]
    try:
        for done in as_completed(futures):
            yield done.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list(_running):
            process.send_signal(signal.SIGINT)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
