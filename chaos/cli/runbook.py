"""`brownout runbook`: the page for the meeting before an exercise, as Markdown and as HTML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.text import Text

from chaos.cli.console import open_console, shell_path
from chaos.cli.plan import estimated
from chaos.cli.preparation import gateway_choice
from chaos.experiment.model import Experiment, load_experiment
from chaos.gameday.runbook import runbook_markdown
from chaos.gameday.scenario.model import load_scenario
from chaos.gameday.scenario.named import what_is
from chaos.gameday.scenario_runbook import scenario_runbook_markdown
from reports.comparison.side_by_side import read_report
from reports.shared.errors import UserError
from reports.shared.whole_file import write_whole

__all__ = ["write_runbook"]


def write_runbook(
    name: str,
    *,
    stack: str | None,
    gateway: str | None,
    target: Path | None,
    seed: int | None,
    earlier: Path | None,
    out: Path | None,
) -> int:
    """Print the page of an experiment or scenario as Markdown; with `out`, write runbook.md and .html into this folder.

    `earlier`: the folder of a run of the same experiment, whose figures are shown. Returns exit code 0. Nothing is
    started, so no permission is needed. Raises UserError for an invalid file, a run of another experiment, and a folder
    that cannot be written.
    """
    choice = gateway_choice(gateway)
    words = [name]
    for option, given in (("--stack", stack), ("--gateway", gateway), ("--target", target), ("--seed", seed)):
        words += [] if given is None else [option, str(given)]
    if what_is(name) == "scenario":
        if earlier is not None:
            raise UserError(f"{name} is a scenario, and --from is for experiments\n    leave --from out")
        day = load_scenario(name, stack=stack, seed=seed, target=target, gateway=choice)
        text, title = scenario_runbook_markdown(day, words=words), day.plan.title
    else:
        experiment = load_experiment(name, stack=stack, seed=seed, target=target, gateway=choice)
        report = None if earlier is None else _report(experiment, earlier)
        text, title = runbook_markdown(experiment, estimated(experiment), words=words, earlier=report), experiment.title
    if out is None:
        print(text, end="")
        return 0
    from reports.writers.markdown.page import markdown_page

    try:
        out.mkdir(parents=True, exist_ok=True)
        write_whole(out / "runbook.md", text.encode())
        write_whole(out / "runbook.html", markdown_page(text, f"Runbook: {title}").encode())
    except OSError as error:
        raise UserError(f"--out {out}: cannot be written ({error.strerror}). Name another folder") from error
    open_console().print(Text(f"runbook: {shell_path(out / 'runbook.html')}"), soft_wrap=True)
    return 0


def _report(experiment: Experiment, folder: Path) -> dict[str, Any]:
    report = read_report(folder)[1]
    played = report["run"]["name"]
    if played != experiment.name:
        raise UserError(f"--from {folder}: a run of {played}, not of {experiment.name}. Name a run of this experiment")
    return report
