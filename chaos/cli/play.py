"""Play one experiment: its record, with progress on the terminal, then its verdict."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

from chaos.cli.console import open_console
from chaos.cli.preparation import resolved_text
from chaos.cli.verdict import print_verdict
from chaos.experiment.model import Experiment
from chaos.runner.analysis_child import AnalysisChild
from chaos.runner.early_end import Ended
from chaos.runner.progress import Progress
from chaos.runner.record_writer import RunFolder
from chaos.runner.run import Run
from reports.shared.errors import BrownoutError

__all__ = ["Recorded", "conclude", "play", "record"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A finished run: its folder, why it ended early (None: it did not), and its analysis, which has not begun yet."""

    folder: Path
    ended: Ended | None
    analysis: AnalysisChild | None


def play(experiment: Experiment, *, runs: Path, quiet: bool, command: str) -> int:
    """Play an experiment and print its verdict. Returns the exit code.

    Raises UserError if the run's folder cannot be made.
    """
    console = open_console()
    return conclude(console, record(console, experiment, runs=runs, quiet=quiet, command=command))


def record(console: Console, experiment: Experiment, *, runs: Path, quiet: bool, command: str) -> Recorded:
    """Play an experiment and write its record. Raises UserError if the run's folder cannot be made."""
    folder = RunFolder(runs, experiment.name)
    folder.write("experiment.yaml", resolved_text(experiment, command))
    progress = Progress(console, experiment.title, quiet=quiet)
    analysis: AnalysisChild | None = None
    try:
        with progress:
            ended, analysis = _with_uvloop(_run(experiment, folder, progress))
    except BrownoutError as error:
        ended = Ended("failed", str(error), 5)
    finally:
        folder.close()
    return Recorded(folder.path, ended, analysis)


def conclude(console: Console, recorded: Recorded) -> int:
    """Analyse a finished run and print its verdict. Returns the exit code."""
    ended = recorded.ended
    why, code = (ended.why, ended.exit_code) if ended is not None else ("", None)
    return print_verdict(console, recorded.folder, why, code, recorded.analysis)


async def _run(
    experiment: Experiment, folder: RunFolder, progress: Progress
) -> tuple[Ended | None, AnalysisChild | None]:
    run = Run(experiment, folder, progress)
    return await run.play(), run.analysis


def _with_uvloop(main: Coroutine[Any, Any, T]) -> T:
    import uvloop

    return uvloop.run(main)
