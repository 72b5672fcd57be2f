"""`brownout run X --retry-inconclusive N`: plays a run again where the machine was the doubt, at most N more times.

Each run has the same seed and a folder of its own, and every folder is kept. The series ends with the first run that
was decided, ended early, or is inconclusive for another reason: the same load would leave it inconclusive again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from chaos.cli.console import open_console, shell_path
from chaos.cli.play import conclude, record
from chaos.cli.verdict import VERDICT_STYLE
from chaos.experiment.model import Experiment
from chaos.runner.early_end import EXIT_CODE_PRECEDENCE

__all__ = [
    "OPTION",
    "PlayedRun",
    "machine_reasons",
    "play_and_retry",
    "play_series",
    "print_runs",
    "series_code",
]

OPTION: Final = "--retry-inconclusive"

INCONCLUSIVE, INTERRUPTED = 3, 130
_WITHOUT_REPORT: Final = {4: "aborted", 130: "interrupted"}
"""Verdicts of runs without a report, by exit code; of the other codes `failed`."""


@dataclass(frozen=True, slots=True)
class PlayedRun:
    """A concluded run. `label`: its stack and seed, if there are several; else "". `last`: no further one is played,
    because the user interrupted it, or because it left a fault on the target, which the user must know first.
    """

    folder: Path
    exit_code: int
    verdict: str
    label: str = ""
    last: bool = False


def machine_reasons(report: Mapping[str, Any]) -> tuple[str, ...]:
    """Why this machine left a run inconclusive, with the figures; empty if it was decided, or other reasons did.

    `report`: report.json, of which `verdict` and `proofs` are read. A doubt about the machine counts only if a gate or
    the recovery is undecided because of it, that is, if a reason of the verdict names it.
    """
    verdict = report["verdict"]
    if verdict["verdict"] != "inconclusive":
        return ()
    return tuple(doubt for doubt in report["proofs"]["machine_doubts"] if any(doubt in why for why in verdict["why"]))


def series_code(codes: Sequence[int]) -> int:
    """The exit code of a series: 130, 5, 1 or 4 of any run, by precedence; else 0 if a run passed; else 3.

    An inconclusive run does not count beside a decided one, and a later pass does not undo a fail.
    """
    return min(codes, key=(*EXIT_CODE_PRECEDENCE, 0, INCONCLUSIVE).index)


def play_and_retry(experiment: Experiment, *, retries: int, runs: Path, quiet: bool, command: str) -> int:
    """Play one series and list its runs. Returns its exit code. Raises UserError if a run's folder cannot be made."""
    console = open_console()
    played = play_series(console, experiment, retries=retries, runs=runs, quiet=quiet, command=command)
    print_runs(console, played)
    return series_code([run.exit_code for run in played])


def play_series(
    console: Console,
    experiment: Experiment,
    *,
    retries: int,
    runs: Path,
    quiet: bool,
    command: str,
    label: str = "",
) -> list[PlayedRun]:
    """Play an experiment once, and at most `retries` more times; print each verdict. Returns the runs in order.

    Raises UserError if a run's folder cannot be made.
    """
    played: list[PlayedRun] = []
    while True:
        recorded = record(console, experiment, runs=runs, quiet=quiet, command=command)
        code = conclude(console, recorded)
        last = code == INTERRUPTED or recorded.interrupted or bool(recorded.left)
        report = _report(recorded.folder)
        verdict = report["verdict"]["verdict"] if report is not None else _WITHOUT_REPORT.get(code, "failed")
        played.append(PlayedRun(recorded.folder, code, verdict, label, last))
        if retries == 0 or code != INCONCLUSIVE or report is None:
            return played
        machine = machine_reasons(report)
        if not machine:
            console.print(Text(_other_reason(report["verdict"]["why"]), style="yellow"))
            return played
        why = "; ".join(machine)
        if len(played) > retries:
            console.print(Text(_given_up(len(played), why), style="yellow"))
            return played
        again = f"playing it again, with the same seed (retry {len(played)} of at most {retries})"
        console.print()
        console.print(Text(f"{again}: this machine left it undecided: {why}", style="bold"))


def print_runs(console: Console, played: Sequence[PlayedRun]) -> None:
    """List runs with their verdicts and folders. Nothing for a single run, of which all was printed."""
    if len(played) < 2:
        return
    console.print()
    console.print(Text("runs played", style="bold"))
    width = max(len(run.verdict) for run in played)
    for run in played:
        verdict = (run.verdict.ljust(width), VERDICT_STYLE.get(run.verdict, "bold red"))
        label = f"{run.label}: " if run.label else ""
        console.print(Text.assemble("  ", verdict, f"  {label}{shell_path(run.folder)}"), soft_wrap=True)


def _report(folder: Path) -> dict[str, Any] | None:
    path = folder / "report.json"
    if not path.is_file():
        return None
    report: dict[str, Any] = json.loads(path.read_bytes())
    return report


def _other_reason(why: Sequence[str]) -> str:
    more = f" (and {len(why) - 1} more: see the report)" if len(why) > 1 else ""
    return f"not played again: this machine was not the reason. Inconclusive because of {why[0]}{more}"


def _given_up(count: int, why: str) -> str:
    return (
        f"still inconclusive after {count} runs, because of this machine: {why}. Stop other programs on it, or use one "
        f"with more free cores"
    )
