"""Play one experiment: its record, with progress on the terminal, then its verdict."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from rich.console import Console
from rich.text import Text

from chaos.by_hand.borrowing import borrowed_replicas
from chaos.by_hand.in_run import controls_of_run
from chaos.cli.console import shell_path
from chaos.cli.lasting_output import nonblocking_output
from chaos.cli.output import Output
from chaos.cli.preparation import resolved_text
from chaos.cli.verdict import print_verdict
from chaos.experiment.model import Experiment
from chaos.runner.analysis_child import AnalysisChild
from chaos.runner.early_end import Ended
from chaos.runner.progress import Progress
from chaos.runner.record_writer import RecordFull, RunFolder, point_latest
from chaos.runner.run import Run
from chaos.supervision.left_over import LeftOver, left_over
from reports.shared.errors import BrownoutError
from reports.shared.plain_text import printable

__all__ = ["PlayedRun", "Recorded", "conclude", "play", "played_run", "record"]

T = TypeVar("T")

INTERRUPTED = 130
_WITHOUT_REPORT: Final = {4: "aborted", 130: "interrupted"}
"""Verdicts of runs without a report, by exit code; of the other codes `failed`."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A finished run: its folder, why it ended early (None: it did not), and its analysis, which has not begun yet.

    `left`: what the run has not undone. Where it is something, `ended` says so, with exit code 5. `interrupted`: a user
    ended it, also in that case: it is not analysed, and nothing is played after it. `started_at`: ISO 8601, UTC.
    """

    folder: Path
    ended: Ended | None
    analysis: AnalysisChild | None
    left: LeftOver
    interrupted: bool = False
    experiment: Experiment | None = None
    started_at: str = ""
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class PlayedRun:
    """A concluded run. `label`: its stack and seed, if there are several; else "". `last`: no further one is played,
    because the user interrupted it, or because it left a fault on the target, which the user must know first.
    `report`: its report.json; None where it has none. `why`: it ended early, "" where it did not. `experiment`: what
    was played. `started_at`, `duration_s`: with its start and its end, without its analysis.
    """

    folder: Path
    exit_code: int
    verdict: str
    label: str = ""
    last: bool = False
    report: dict[str, Any] | None = None
    why: str = ""
    experiment: Experiment | None = None
    started_at: str = ""
    duration_s: float = 0.0


def played_run(recorded: Recorded, code: int, label: str = "") -> PlayedRun:
    """A run that was recorded and concluded with this exit code."""
    last = code == INTERRUPTED or recorded.interrupted or bool(recorded.left)
    path = recorded.folder / "report.json"
    report = json.loads(path.read_bytes()) if path.is_file() else None
    verdict = report["verdict"]["verdict"] if report is not None else _WITHOUT_REPORT.get(code, "failed")
    return PlayedRun(
        recorded.folder,
        code,
        verdict,
        label,
        last,
        report,
        recorded.ended.why if recorded.ended is not None else "",
        recorded.experiment,
        recorded.started_at,
        recorded.duration_s,
    )


def play(output: Output, experiment: Experiment, *, command: str) -> PlayedRun:
    """Play an experiment and print its verdict. Raises UserError if the run's folder cannot be made."""
    recorded = record(output, experiment, command=command)
    return played_run(recorded, conclude(output.console, recorded))


def record(output: Output, experiment: Experiment, *, command: str) -> Recorded:
    """Play an experiment and write its record. Raises UserError if the run's folder cannot be made."""
    folder = RunFolder(output.runs, experiment.name, at=output.place(experiment.name))
    progress = Progress(output.console, experiment.title, quiet=output.quiet)
    analysis: AnalysisChild | None = None
    started, started_s = datetime.now(UTC), time.monotonic()
    confirmed: list[str] = []
    began = False
    try:
        folder.write("experiment.yaml", resolved_text(experiment, command))
        lent = borrowed_replicas(experiment, f"the run {folder.path.name}")
        with nonblocking_output(), progress, lent:
            began = True
            if output.out is None:
                point_latest(folder.path)
            ended, analysis = _with_uvloop(_run(experiment, folder, progress, confirmed))
    except BrownoutError as error:
        ended = Ended("failed", str(error), 5)
        with contextlib.suppress(RecordFull):
            folder.events.write("run", event="failed", why=str(error))
    except BaseException:
        if began:
            _warn(left_over(folder.path, confirmed))
        else:  # while it waited for replicas that it borrows
            shutil.rmtree(folder.path, ignore_errors=True)
            print("the run has not begun: nothing was recorded", file=sys.stderr, flush=True)
        raise
    finally:
        folder.close()
    left = left_over(folder.path, confirmed)
    interrupted = ended is not None and ended.exit_code == INTERRUPTED
    return Recorded(
        folder.path,
        _with_left(ended, left),
        analysis,
        left,
        interrupted,
        experiment,
        started.isoformat(timespec="milliseconds"),
        round(time.monotonic() - started_s, 3),
    )


def _with_left(ended: Ended | None, left: LeftOver) -> Ended | None:
    """Why a run ended, if it has left something: a failure, whatever else ended it."""
    if not left:
        return ended
    why = f"{ended.why}; {left.summary}" if ended is not None else left.summary
    return Ended("failed", why, 5)


def _warn(left: LeftOver) -> None:
    """The last message of a run that has left something, on standard error: a summary may be lost in a pipe."""
    if left:
        sys.stdout.flush()
        print(*(printable(line) for line in left.lines), sep="\n", file=sys.stderr, flush=True)


def conclude(console: Console, recorded: Recorded) -> int:
    """Analyse a finished run and print its verdict, and what it has left last. Returns the exit code.

    Where a user interrupts the analysis, that ends, and the exit code is that of a run that was interrupted.
    """
    if recorded.interrupted:
        with nonblocking_output():
            return _conclude(console, recorded)
    return _conclude(console, recorded)


def _conclude(console: Console, recorded: Recorded) -> int:
    ended = recorded.ended
    why, code = (ended.why, ended.exit_code) if ended is not None else ("", None)
    if recorded.interrupted:
        code = INTERRUPTED
    try:
        verdict = print_verdict(console, recorded.folder, why, code, recorded.analysis, undone=recorded.left.summary)
        return 5 if recorded.left else verdict
    except KeyboardInterrupt:
        command = f"brownout report {shell_path(recorded.folder)}"
        undone = recorded.left.summary
        text = f"interrupted in the analysis: {undone}, and the record is complete; its reports: {command}"
        with nonblocking_output():
            console.print(Text(text), soft_wrap=True)
        return 5 if recorded.left else INTERRUPTED
    finally:
        _warn(recorded.left)


async def _run(
    experiment: Experiment, folder: RunFolder, progress: Progress, confirmed: list[str]
) -> tuple[Ended | None, AnalysisChild | None]:
    """`confirmed` gets the ids of the faults that were on, however the run ends."""
    run = Run(experiment, folder, progress, controls_of_run)
    try:
        return await run.play(), run.analysis
    finally:
        confirmed += [fault_id for fault_id, play in run.plays.items() if play.played.confirmed]


def _with_uvloop(main: Coroutine[Any, Any, T]) -> T:
    import uvloop

    return uvloop.run(main)
