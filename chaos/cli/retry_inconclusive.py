"""`brownout run X --retry-inconclusive N`: plays a run again where the machine was the doubt, at most N more times.

Each run has the same seed and a folder of its own, and every folder is kept. The series ends with the first run that
was decided, ended early, or is inconclusive for another reason: the same load would leave it inconclusive again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from chaos.cli.console import shell_path
from chaos.cli.output import Output
from chaos.cli.play import PlayedRun, conclude, played_run, record
from chaos.cli.verdict import VERDICT_STYLE
from chaos.experiment.model import Experiment
from chaos.runner.early_end import EXIT_CODE_PRECEDENCE

__all__ = [
    "OPTION",
    "machine_reasons",
    "play_and_retry",
    "play_series",
    "print_runs",
    "series_code",
]

OPTION: Final = "--retry-inconclusive"

INCONCLUSIVE = 3


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


def play_and_retry(output: Output, experiment: Experiment, *, retries: int, command: str) -> list[PlayedRun]:
    """Play one series and list its runs. Raises UserError if a run's folder cannot be made."""
    played = play_series(output, experiment, retries=retries, command=command)
    print_runs(output.console, played)
    return played


def play_series(
    output: Output,
    experiment: Experiment,
    *,
    retries: int,
    command: str,
    label: str = "",
    on_played: Callable[[PlayedRun], None] = lambda run: None,
) -> list[PlayedRun]:
    """Play an experiment once, and at most `retries` more times; print each verdict. Returns the runs in order.

    `on_played` gets each run when it has ended. Raises UserError if a run's folder cannot be made.
    """
    console = output.console
    played: list[PlayedRun] = []
    while True:
        recorded = record(output, experiment, command=command)
        run = played_run(recorded, conclude(console, recorded), label)
        report = run.report
        played.append(run)
        on_played(run)
        if retries == 0 or run.exit_code != INCONCLUSIVE or report is None:
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


def _other_reason(why: Sequence[str]) -> str:
    more = f" (and {len(why) - 1} more: see the report)" if len(why) > 1 else ""
    return f"not played again: this machine was not the reason. Inconclusive because of {why[0]}{more}"


def _given_up(count: int, why: str) -> str:
    return (
        f"still inconclusive after {count} runs, because of this machine: {why}. Stop other programs on it, or use one "
        f"with more free cores"
    )
