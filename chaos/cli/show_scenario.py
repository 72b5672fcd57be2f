"""`brownout show NAME` for a scenario: for the game master, because it tells the fault."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from chaos.cli.console import open_console
from chaos.cli.show import paragraphs
from chaos.gameday.core.plan import Hint, Plan, Question, Repair, Step
from chaos.gameday.scenario.game_day import GameDay
from chaos.gameday.scenario.model import load_scenario, scenario_names
from chaos.gameday.scenario.repair_text import repairs_text
from chaos.gameday.scenario.sheet import clock_text, sheet
from reports.shared.documents import duration_text

__all__ = ["print_scenario", "scenario_facts"]

_WARNING: Final = "For the game master: this tells the fault."


def print_scenario(name: str, *, as_json: bool) -> None:
    """Print the scenario of this name or path. Raises UserError if there is none."""
    day = load_scenario(name)
    if as_json:
        print(json.dumps(scenario_facts(day), indent=1, ensure_ascii=False))
    else:
        open_console().print(_in_full(day, name))


def scenario_facts(day: GameDay) -> dict[str, Any]:
    """The scenario as plain data, for `--json`."""
    plan, experiment = day.plan, day.experiment
    return {
        "name": plan.name,
        "family": plan.family,
        "title": plan.title,
        "public_title": plan.public_title,
        "description": plan.description,
        "briefing": plan.briefing,
        "stack": experiment.stack.name if experiment.stack is not None else None,
        "url": experiment.url.url if experiment.url is not None else None,
        "profile": experiment.profile.name,
        "length_s": plan.length_s,
        **_prompts(plan.steps, plan.hints, plan.questions),
        "branches": [
            {
                "at_s": branch.at_s,
                "when": branch.when,
                "text": branch.text,
                **_prompts(branch.steps, branch.hints, branch.questions),
                "end": branch.end,
            }
            for branch in plan.branches
        ],
        "findings": [finding.text for finding in plan.findings],
        "guardrails": [guardrail.text for guardrail in experiment.guardrails],
    }


def _prompts(steps: Sequence[Step], hints: Sequence[Hint], questions: Sequence[Question]) -> dict[str, Any]:
    return {
        "steps": [
            {
                "id": step.id,
                "text": step.label,
                "at_s": step.at_s,
                "for_s": step.for_s,
                "repairs": None if step.repairs is None else [_repair(repair) for repair in step.repairs],
            }
            for step in steps
        ],
        "hints": [{"after_s": hint.after_s, "unless": hint.unless, "text": hint.text} for hint in hints],
        "events": [
            {"at_s": one.at_s, "who": one.who, "text": one.text, "answer_within_s": one.answer_within_s}
            for one in questions
        ],
    }


def _repair(repair: Repair) -> dict[str, Any]:
    return {"operation": repair.operation, "arguments": dict(repair.arguments)}


def _in_full(day: GameDay, name: str) -> Group:
    plan, experiment = day.plan, day.experiment
    target = experiment.stack.name if experiment.stack is not None else experiment.url.url if experiment.url else ""
    length = duration_text(plan.length_s or 0.0)
    shown = plan.name if name in scenario_names() else name
    return Group(
        Text(plan.title, style="bold"),
        Text(f"{plan.name} ({plan.family or 'no family'}): {target}, {length}", style="dim"),
        Text(_WARNING, style="yellow"),
        Text(),
        *(Text(paragraph) for paragraph in paragraphs(plan.description)),
        *_part("What everybody reads before the start", [Text(line) for line in paragraphs(plan.briefing)]),
        *_part("Run sheet", [_sheet_table(plan)]),
        *_part("What ends a fault", [Text(f"  {step.id}: {repairs_text(step.repairs)}") for step in _steps(plan)]),
        *_part("It should bring to light", [Text(f"  {finding.text}") for finding in plan.findings]),
        *_part("It aborts by itself", [Text(f"  {guardrail.text}") for guardrail in experiment.guardrails]),
        *_part("Play it", [Text(f"  brownout runbook {shown}"), Text(f"  brownout gameday {shown}")]),
    )


def _steps(plan: Plan) -> list[Step]:
    return [*plan.steps, *(step for branch in plan.branches for step in branch.steps)]


def _part(heading: str, lines: Sequence[Any]) -> Iterator[Any]:
    if lines:
        yield Text()
        yield Text(heading, style="bold")
        yield from lines


def _sheet_table(plan: Plan) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    for row in sheet(plan):
        table.add_row(f"  {clock_text(row.at_s)}", Text(row.what, style="red" if row.what == "fault" else ""), row.text)
    return table
