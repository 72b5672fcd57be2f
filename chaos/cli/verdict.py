"""The verdict of a run on the terminal, after its analysis, and `brownout report`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from chaos.cli.twin_table import twin_renderable
from chaos.runner.analysis_child import AnalysisChild
from reports.shared.errors import TargetFailed, UserError
from reports.shared.wording import interval_text, value_text

__all__ = ["MARK", "VERDICT_STYLE", "existing_run", "print_verdict", "report_run"]

VERDICT_STYLE = {"pass": "bold green", "fail": "bold red", "inconclusive": "bold yellow"}
MARK = {"pass": "✓", "fail": "✗", "inconclusive": "?"}


def existing_run(folder: Path) -> Path:
    """The folder, if it has a record of a run. Raises UserError if it has none."""
    if not (folder / "events.jsonl").is_file():
        raise UserError(f"{folder}: no record of a run is here (events.jsonl is missing). Name a folder below runs/")
    return folder


def report_run(folder: Path) -> int:
    """Analyse a run's record again and print its verdict. Returns the exit code. Raises UserError without a record."""
    existing_run(folder)
    code = AnalysisChild(folder).finish()
    _show(Console(), folder)
    return code


def print_verdict(console: Console, folder: Path, why: str, code: int | None, analysis: AnalysisChild | None) -> int:
    """Analyse a finished run and print its verdict. Returns the exit code.

    `why`, `code`: of a run that ended early; else "" and None. An interrupted run is not analysed, so that the command
    ends at once. `analysis`: the analysis process, if it was already started.
    """
    if why:
        console.print(Text(f"ended early: {why}", style="bold red"))
    if code == 130:
        if analysis is not None:
            analysis.abandon()
        console.print(f"every fault was reverted. Reports of the part that was recorded: brownout report {folder}")
        return 130
    try:
        verdict = (analysis or AnalysisChild(folder)).finish()
        _show(console, folder)
    except (TargetFailed, UserError) as error:
        console.print(Text(str(error), style="bold red"))
        verdict = 5
    # By precedence: a failed gate (1) before a guardrail (4), which the analysis reads in the record.
    return 5 if code == 5 else verdict


def _show(console: Console, folder: Path) -> None:
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    table.add_column("gate", overflow="fold", ratio=3)
    table.add_column("measured", overflow="fold")
    table.add_column("95 % interval", overflow="fold")
    for gate in [*report["steady_state"], *report["gates"]]:
        verdict = gate["verdict"]
        value = value_text(gate["value"], gate["unit"])
        style = VERDICT_STYLE[verdict]
        table.add_row(Text(MARK[verdict], style=style), gate["text"], value, interval_text(gate))
        if verdict != "pass":
            table.add_row("", Text(gate["why"], style="dim"))
    console.print(table)
    if report["twin"] is not None:
        console.print(twin_renderable(report["twin"]))
    verdict = report["verdict"]["verdict"]
    style = VERDICT_STYLE.get(verdict, "bold red")
    short = "  (short form: a smoke run, too short for most gates)" if report["run"]["short_form"] else ""
    console.print(Text.assemble((verdict.upper(), style), short, "  ", report["verdict"]["why"][0]))
    console.print(Text(f"report: {folder / 'report.html'}", style="dim"))
