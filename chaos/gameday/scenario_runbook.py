"""The page for the meeting before a scenario is played: the run sheet, what responders may do, roles, a checklist.

A scenario has no gates: what should come out are its expected findings. The page tells the fault, so it is for the game
master alone. Nothing is started.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from chaos.experiment.wording import target_text
from chaos.gameday.core.operations import Operation
from chaos.gameday.core.plan import Plan, Step
from chaos.gameday.runbook import opening, what_to_watch
from chaos.gameday.scenario.game_day import GameDay
from chaos.gameday.scenario.offers import operations_of
from chaos.gameday.scenario.repair_text import repairs_text
from chaos.gameday.scenario.sheet import clock_text, sheet
from reports.explanation.words import what_helps
from reports.shared.documents import duration_text
from reports.writers.gate.markdown_text import code, prose, shell_block, table

__all__ = ["scenario_runbook_markdown"]

ROLES: Final = (
    ("game master", "controls", "has the run sheet, gives hints, answers no question about the cause; aborts"),
    ("responders", "respond", "are on call: notice, say what they believe, repair"),
    ("scribe", "scribe", "a responder who acts on nothing: writes down who saw, decided and did what"),
    ("audience", "wall", "watches, and says nothing that helps or hinders"),
)
BEFORE: Final = (
    "The goal is agreed: what do we want to learn that we do not know?",
    "Each role has a name, and a browser on a machine that shows nothing of this page",
    "The wall is on the projector; the link of the game master is on no shared screen",
    "Responders know the pages: they have pressed nothing yet, but know where",
    "The word that stops the exercise at once is agreed, and everybody may say it",
    "Nobody who will respond has read this page or the file of the scenario",
)
DURING: Final = (
    "The briefing is read aloud; the load has run for a minute; then Start",
    "Hints come only while people still search; a hold stops the clock, not the faults",
    "The game master watches the guardrails, and aborts if a real outage begins",
)
AFTER: Final = (
    "The pages say that everything is reverted and verified",
    "The truth was read together, beside what people believed",
    "Each finding below was discussed: true, or not?",
    "Each action has an owner and a date, in the post-mortem",
)

_PROSE: Final = 3_000
"""Most characters of a paragraph."""
_CHOICES: Final = 8
"""Most choices of an operation that are listed."""


def scenario_runbook_markdown(day: GameDay, *, words: Sequence[str]) -> str:
    """The page as Markdown. `words`: what follows `brownout gameday` to play it.

    All text of the scenario is shown as it is: none of it is Markdown or HTML.
    """
    plan = day.plan
    sections = [
        ("What it is about", _about(plan)),
        ("What is played", _set_up(day)),
        ("Run sheet", _run_sheet(plan)),
        ("What responders may do", _operations(day)),
        ("What to watch", [_sentence(what_to_watch(plan.description))]),
        ("What helps", [_sentence(what_helps(plan.description))]),
        ("Expected findings", _boxes([finding.text for finding in plan.findings])),
        ("How to stop it", _stop(day)),
        ("Roles", [_table(("role", "who", "page", "does"), [(role, " ", code(page), it) for role, page, it in ROLES])]),
        ("Checklist", _checklist()),
        ("Play it", _commands(words)),
    ]
    parts = [f"# Runbook: {prose(plan.title)}", "For the game master: this page tells the fault."]
    for heading, blocks in sections:
        parts += [f"## {heading}", *blocks]
    return "\n\n".join(parts) + "\n"


def _about(plan: Plan) -> Iterator[str]:
    yield from opening(plan.description)
    yield f"Everybody reads this before the start: {prose(' '.join(plan.briefing.split()), _PROSE)}"


def _set_up(day: GameDay) -> Iterator[str]:
    plan, experiment, slo = day.plan, day.experiment, day.experiment.slo
    rows = [
        ("scenario", code(plan.name)),
        ("target", prose(target_text(experiment, reserve_is="in reserve"), _PROSE)),
        ("load", f"profile {code(experiment.profile.name)}"),
        ("a good call", f"TTFT at most {duration_text(slo.ttft_s)}, TPOT at most {duration_text(slo.tpot_s)}"),
        ("length", duration_text(plan.length_s or 0.0)),
        ("seed", str(experiment.seed)),
    ]
    yield _table(("what", "value"), [(f"**{name}**", text) for name, text in rows])


def _run_sheet(plan: Plan) -> Iterator[str]:
    rows = []
    for row in sheet(plan):
        text = prose(row.text, _PROSE)
        rows.append((clock_text(row.at_s), row.what, f"**{text}**" if row.what == "fault" else text))
    yield _table(("after the start", "what", "text"), rows)
    steps = [*plan.steps, *(step for branch in plan.branches for step in branch.steps)]
    yield "What ends each fault:"
    yield _table(("fault", "is ended by"), [(code(step.id), _ends(step)) for step in steps])


def _ends(step: Step) -> str:
    end = "" if step.for_s is None else f"; it ends by itself after {duration_text(step.for_s)}"
    return prose(repairs_text(step.repairs) + end, _PROSE)


def _operations(day: GameDay) -> Iterator[str]:
    operations = operations_of(day.experiment.stack, own_gateway=day.experiment.own_gateway)
    rows = [(prose(one.label), _choices(one)) for one in operations]
    yield _table(("operation", "of"), rows)


def _choices(operation: Operation) -> str:
    if operation.why_not:
        return prose(f"not possible: {operation.why_not}")
    named = [choice for argument in operation.arguments for choice in argument.choices]
    more = f", and {len(named) - _CHOICES} more" if len(named) > _CHOICES else ""
    return prose(", ".join(named[:_CHOICES]) + more) or "-"


def _sentence(text: str) -> str:
    return prose(text[:1].upper() + text[1:] or "The scenario does not say.", _PROSE)


def _stop(day: GameDay) -> Iterator[str]:
    yield (
        "- **Abort** on the controls (the key A), or `brownout abort` in a terminal of this machine: every fault is "
        "reverted, the load stops, and nothing can be injected until it is released.\n"
        "- Ctrl-C in the terminal of `brownout gameday`: the exercise ends, everything is reverted.\n"
        "- If brownout itself is killed, its shepherd reverts every fault; `brownout heal` says what is left."
    )
    guardrails = day.experiment.guardrails
    if guardrails:
        yield "It aborts by itself on one of these conditions:"
        yield "\n".join(f"- {code(guardrail.text)}" for guardrail in guardrails)
    else:
        yield "No guardrail aborts it by itself."


def _checklist() -> Iterator[str]:
    for heading, lines in (("Before", BEFORE), ("During", DURING), ("After", AFTER)):
        yield f"### {heading}"
        yield "\n".join(f"- [ ] {line}" for line in lines)


def _boxes(texts: Sequence[str]) -> Iterator[str]:
    if not texts:
        yield "The scenario names none."
        return
    yield "\n".join(f"- [ ] {prose(text, _PROSE)}" for text in texts)


def _commands(words: Sequence[str]) -> Iterator[str]:
    yield shell_block([f"brownout {verb} {shlex.join(words)}" for verb in ("check", "gameday")], most=None)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return table(head, rows, most_bytes=None)
