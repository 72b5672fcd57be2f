"""The verdict of a run on the terminal, after its analysis, and `brownout report`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from chaos.cli.console import open_console, shell_path
from chaos.cli.lasting_output import nonblocking_output
from chaos.cli.twin_table import twin_renderable
from chaos.runner.analysis_child import AnalysisChild
from chaos.supervision.run_lock import going_on
from reports.by_hand.section import window_lines
from reports.explanation.alert_words import alert_lines
from reports.explanation.words import advice, failure_text, fault_text, load_scale_text, undecided_notes
from reports.shared.errors import TargetFailed, UserError
from reports.shared.wording import interval_text, value_text, without_call_text

__all__ = ["MARK", "VERDICT_STYLE", "existing_run", "print_verdict", "report_run"]

VERDICT_STYLE = {"pass": "bold green", "fail": "bold red", "inconclusive": "bold yellow"}
_RUNS = 20
"""Runs of a gate that a message names."""
_GROUPS = 5
"""Groups of failed calls that are printed."""
MARK = {"pass": "✓", "fail": "✗", "inconclusive": "?"}


def existing_run(folder: Path) -> Path:
    """The folder, if it has a record of a run. Raises UserError if it has none."""
    events = folder / "events.jsonl"
    try:
        found = events.exists()
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise UserError(f"{folder}: cannot be read: {error.strerror}. Name a folder below runs/") from error
    if found and not events.is_file():
        raise UserError(f"{events} is no file: the record cannot be read. Name another folder below runs/")
    if not found:
        raise UserError(f"{folder}: no record of a run is here (events.jsonl is missing). {_other_folder(folder)}")
    return folder


def _other_folder(folder: Path) -> str:
    """What to name instead of a folder without a record: in the folder of a gate, its runs."""
    if not (folder / "gate.json").is_file():
        return "Name a folder below runs/"
    found = sorted(path.parent for path in (folder / "runs").glob("*/events.jsonl") if not path.parent.is_symlink())
    if not found:
        return "It is the folder of a gate that has no runs. Name the folder of a run"
    more = [f"    and {len(found) - _RUNS} more"] if len(found) > _RUNS else []
    names = [f"    {shell_path(path)}" for path in found[:_RUNS]]
    return "\n".join(["It is the folder of a gate. Name one of its runs:", *names, *more])


def report_run(folder: Path) -> int:
    """Analyse a run's record again and print its verdict. Returns the exit code. Raises UserError without a record."""
    existing_run(folder)
    if holders := going_on(folder):
        raise UserError(f"{folder}: the run is still going on ({holders}). Make its reports when it has ended")
    code = AnalysisChild(folder).finish()
    _show(open_console(), folder)
    return code


def print_verdict(
    console: Console, folder: Path, why: str, code: int | None, analysis: AnalysisChild | None, *, undone: str
) -> int:
    """Analyse a finished run and print its verdict. Returns the exit code.

    `why`, `code`: of a run that ended early; else "" and None. An interrupted run is not analysed, so that the command
    ends at once. `analysis`: the analysis process, if it was already started. `undone`: what became of its faults.
    """
    if why:
        with nonblocking_output():  # the analysis comes in any case
            console.print(Text(f"ended early: {why}", style="bold red"))
    if code == 130:
        if analysis is not None:
            analysis.abandon()
        command = f"brownout report {shell_path(folder)}"
        text = f"{undone}. Reports of the part that was recorded: {command}"
        console.print(Text(text), soft_wrap=True)
        return 130
    if why:
        with nonblocking_output():
            console.print(Text(undone), soft_wrap=True)
    try:
        verdict = (analysis or AnalysisChild(folder)).finish()
        _show(console, folder, early=bool(why))
    except (TargetFailed, UserError) as error:
        console.print(Text(str(error), style="bold red"))
        verdict = 5
    # By precedence: a failed gate (1) before a guardrail (4), which the analysis reads in the record.
    return 5 if code == 5 else verdict


def _show(console: Console, folder: Path, *, early: bool = False) -> None:
    """Print the gates, the failed calls, and the verdict with its explanation. `early`: its reason was printed."""
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    gates = [*report["steady_state"], *report["gates"]]
    early = early and report["carrying"] is None
    if gates and not (early and all(gate["value"] is None for gate in gates)):
        console.print(_gates(gates))
        for note in undecided_notes(gates):
            console.print(Text(note, style="dim"))
    if report["twin"] is not None:
        console.print(twin_renderable(report["twin"]))
    for line in [*_failures(report["failures"], folder), *_faults(report["faults"]), *_alerts(report)]:
        console.print(line)
    for window in report.get("windows") or ():
        console.print(Text("\n".join(window_lines(window))), soft_wrap=True)
    if idle := report["proofs"]["joins"]["replicas_without_call"]:
        console.print(Text(without_call_text(idle, "in the baseline"), style="yellow"))
    console.print(_headline(report))
    if not early:
        console.print(Text(report["explanation"]["sentence"]))
    helps = advice(report)
    if helps and report["verdict"]["verdict"] != "pass" and not early:
        console.print(Text.assemble(("what helps: ", "bold"), helps))
    if report.get("exercise") is not None:
        console.print(Text(f"post-mortem: {folder / 'postmortem.html'}", style="dim"), soft_wrap=True)
    console.print(Text(f"report: {folder / 'report.html'}", style="dim"), soft_wrap=True)


def _gates(gates: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    table.add_column("gate", overflow="fold", ratio=3)
    table.add_column("measured", overflow="fold")
    table.add_column("95 % interval", overflow="fold")
    for gate in gates:
        verdict = gate["verdict"]
        value = value_text(gate["value"], gate["unit"])
        mark = Text(MARK[verdict], style=VERDICT_STYLE[verdict])
        table.add_row(mark, Text(gate["text"]), value, interval_text(gate))
    return table


def _failures(groups: list[dict[str, Any]], folder: Path) -> Iterator[Text]:
    """The largest groups of failed calls, each with the command that shows an example."""
    if not groups:
        return
    yield Text("failed calls, by reason", style="bold")
    for group in groups[:_GROUPS]:
        yield Text(f"  {failure_text(group)}")
        if group["outcome"]:
            command = f"brownout trace {shell_path(folder)} --call {shell_path(group['example']['key'])}"
            yield Text(f"      example: {command}", style="dim")
    if len(groups) > _GROUPS:
        rest = sum(group["calls"] for group in groups[_GROUPS:])
        yield Text(f"  {rest:,} more calls for {len(groups) - _GROUPS} other reasons: see the report")


def _faults(faults: list[dict[str, Any]]) -> Iterator[Text]:
    for fault in faults:
        yield Text.assemble(("fault: ", "bold"), fault_text(fault))


def _alerts(report: dict[str, Any]) -> Iterator[Text]:
    for line in alert_lines(report):
        yield Text.assemble(("alert: ", "bold"), line)


def _headline(report: dict[str, Any]) -> Text:
    verdict, explanation = report["verdict"]["verdict"], report["explanation"]
    style = VERDICT_STYLE.get(verdict, "bold red")
    short = "  (short form: a smoke run, too short for most gates)" if report["run"]["short_form"] else ""
    failed, gates = explanation["gates_failed"], explanation["gates"]
    counted = f"  {failed} of {gates} gates failed" if failed else ""
    if verdict == "pass":
        counted = f"  {gates} of {gates} gates passed"
    scaled = f"  ({text})" if (text := load_scale_text(report["run"])) else ""
    return Text.assemble((verdict.upper(), style), short, scaled, counted)
