"""After a run: the analysis, in a process of its own, and what it found, on the terminal."""

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

__all__ = ["MARK", "VERDICT_STYLE", "analyse_and_print", "existing_run", "print_verdict"]

VERDICT_STYLE = {"pass": "bold green", "fail": "bold red", "inconclusive": "bold yellow"}
MARK = {"pass": "✓", "fail": "✗", "inconclusive": "?"}


def existing_run(folder: Path) -> Path:
    """The run's folder. Raises UserError where there is no record in it."""
    if not (folder / "events.jsonl").is_file():
        raise UserError(f"{folder}: there is no record of a run here (no events.jsonl). Name a folder below runs/")
    return folder


def analyse_and_print(folder: Path) -> int:
    """`brownout report RUN`."""
    code = AnalysisChild(folder).finish()
    _show(Console(), folder)
    return code


def print_verdict(console: Console, folder: Path, why: str, code: int | None, analysis: AnalysisChild | None) -> int:
    """Analyse a run that was just played, and print its verdict. `analysis` may have been started before.

    `why` and `code` are of a run that ended early: its code goes before the analysis's, and an interrupted one is not
    analysed at all, since somebody is waiting for their prompt.
    """
    if why:
        console.print(Text(f"ended early: {why}", style="bold red"))
    if code == 130:
        if analysis is not None:
            analysis.abandon()
        console.print(f"everything was reverted; reports of what there is: brownout report {folder}")
        return 130
    try:
        verdict = (analysis or AnalysisChild(folder)).finish()
        _show(console, folder)
    except (TargetFailed, UserError) as error:
        console.print(Text(str(error), style="bold red"))
        verdict = 5
    # A gate that failed says more than the guardrail that cut the run short.
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
    short = "  (short form: it plays; what the stack is worth, it cannot say)" if report["run"]["short_form"] else ""
    console.print(Text.assemble((verdict.upper(), style), short, "  ", report["verdict"]["why"][0]))
    console.print(Text(f"report: {folder / 'report.html'}", style="dim"))
