"""What the benches of whole runs share: results kept a line each, runs played in processes of their own.

A run is a cell of a table, named by a few words. What was played is read from the file and not played again; a torn
last line is dropped. Ctrl-C and SIGTERM end the runs under way as Ctrl-C ends any run: everything is reverted.
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

__all__ = ["Results", "Row", "play", "played_side_by_side", "slim"]

Row = dict[str, Any]
T = TypeVar("T")

RESULTS = Path(__file__).with_name("results")
RUN_WITHIN_S = 600
VERDICTS = {0: "pass", 1: "fail", 3: "inconclusive", 4: "aborted", 5: "failed", 130: "interrupted"}
HEAVY = ("spans", "spans.parquet", "gauges.jsonl", "children", "logs")
"""What a record needs to be analysed again, and a table of hundreds of runs does not."""

_running: set[subprocess.Popen[str]] = set()


class Results:
    """A file of JSON lines. `rows`: all that were kept so far."""

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
        """Add a row, on disk at once."""
        self.rows.append(row)
        self.path.parent.mkdir(exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")


def play(experiment: str, *options: str, runs: Path) -> tuple[Row, Path | None]:
    """Play one experiment into a folder of its own below `runs`. Answers its row, and its record if there is one.

    The row: `exit`, `verdict`, `gates` (text -> verdict, value, unit), `tells`, `doubts`, `run`; or `said`.
    """
    runs.mkdir(parents=True, exist_ok=True)
    before = set(runs.glob("*/report.json"))
    command = [sys.executable, "-m", "chaos.cli.app", "run", experiment, *options, "--runs", str(runs), "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    _running.add(process)
    try:
        said, _ = process.communicate(timeout=RUN_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate()
    finally:
        _running.discard(process)
    row: Row = {"exit": process.returncode, "verdict": VERDICTS.get(process.returncode, str(process.returncode))}
    new = sorted(set(runs.glob("*/report.json")) - before)
    if not new:
        return {**row, "said": said[-400:]}, None
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
    """Leave of a record its reports and events."""
    for name in HEAVY if folder is not None else ():
        assert folder is not None
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def played_side_by_side(cells: Sequence[T], jobs: int, one: Callable[[T], Row]) -> Iterable[Row]:
    """`one(cell)` of each, `jobs` at a time, as they end. Whatever ends it early ends the runs under way first."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    pool = ThreadPoolExecutor(max_workers=jobs)
    waiting = [pool.submit(one, cell) for cell in cells]
    try:
        for done in as_completed(waiting):
            yield done.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list(_running):
            process.send_signal(signal.SIGINT)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
