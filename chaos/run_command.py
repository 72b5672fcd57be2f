"""`brownout run`: play an experiment with its progress on the terminal, then print its verdict."""

from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

from chaos.analysis_child import AnalysisChild
from chaos.ended import Ended
from chaos.experiment import Experiment
from chaos.preparation import resolved_text
from chaos.progress import Progress
from chaos.run_folder import RunFolder
from chaos.runner import Run
from chaos.verdict_print import print_verdict
from reports.errors import BrownoutError

__all__ = ["run_experiment"]

T = TypeVar("T")


def run_experiment(experiment: Experiment, *, runs: Path, quiet: bool, command: str) -> int:
    """Play an experiment and print its verdict. Answers the exit code.

    Raises UserError where the run's folder cannot be made.
    """
    console = Console(stderr=False)
    folder = RunFolder(runs, experiment.name)
    folder.write("experiment.yaml", resolved_text(experiment, command))
    progress = Progress(console, experiment.title, quiet=quiet)
    analysis: AnalysisChild | None = None
    try:
        with progress:
            ended, analysis = _with_uvloop(_play(experiment, folder, progress))
    except BrownoutError as error:
        ended = Ended("failed", str(error), 5)
    finally:
        folder.close()
    return print_verdict(console, folder.path, ended.why if ended else "", ended.exit_code if ended else None, analysis)


async def _play(
    experiment: Experiment, folder: RunFolder, progress: Progress
) -> tuple[Ended | None, AnalysisChild | None]:
    run = Run(experiment, folder, progress)
    return await run.play(), run.analysis


def _with_uvloop(main: Coroutine[Any, Any, T]) -> T:
    import uvloop

    return uvloop.run(main)
