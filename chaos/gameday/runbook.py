"""The page for the meeting before an exercise: what will be done, what should happen, who does what, how to stop.

It is made of what the experiment says and of its plan. Nothing is started. The figures of an earlier run, if one is
given, say what happened then; they promise nothing.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from chaos.experiment.commands import command_lines
from chaos.experiment.load_estimate import LoadEstimate
from chaos.experiment.model import Experiment
from chaos.experiment.wording import load_text, target_text, timeline_rows
from chaos.gameday.scenario.other_plans import unplayable
from reports.explanation.words import what_helps
from reports.gating.run_values import RunValues, run_values, spec_of, stat_of
from reports.shared.documents import duration_text
from reports.shared.wording import value_text
from reports.writers.gate.markdown_text import code, prose, shell_block, table

__all__ = ["opening", "runbook_markdown", "what_to_watch"]

PHASES: Final = ("baseline", "fault", "recovery")
BY_PHASE: Final = ("session_success", "slo_attainment", "ttft.p95", "goodput")
"""Measures of an earlier run that are shown for each phase."""
OF_RUN: Final = ("sessions_lost", "calls_failed", "time_to_detect", "failover.p95", "time_to_recover")
"""Measures of an earlier run that are shown for the whole of it."""

ROLES: Final = (
    ("game master", "knows what is played; begins, holds and stops the exercise; answers no question about the cause"),
    ("responders", "are on call: notice, diagnose, act; use the tools that they have every day"),
    ("scribe", "writes down who saw, believed and did what, each with its time; does nothing else"),
    ("observers", "watch, and say nothing that helps or hinders"),
)
BEFORE: Final = (
    "The goal is agreed: what do we want to learn that we do not know?",
    "Date, start and end are known to everybody who may be paged, and to those who use the target",
    "The target serves nobody who did not agree to this",
    "Nobody else changes or tests the target meanwhile",
    "The word that stops the exercise at once is agreed, and everybody may say it",
    "The channel, the dashboards and the alerts are open; alerts that page others are announced",
    "Every predicted value below was discussed: who expects something else, and why?",
    "`brownout check` printed no warning that matters",
)
DURING: Final = (
    "The start is announced in the channel, with its time",
    "The scribe has a clock that agrees with that of the machine which plays",
    "The game master watches the guardrails, and stops if a real outage begins",
)
AFTER: Final = (
    "The end is announced, and that everything is reverted",
    "`brownout heal` says that nothing is left",
    "The report was read together: what surprised us?",
    "Times of people are written down: noticed it, named the cause, acted",
    "Times of the system are beside them: to detect, to fail over, to recover",
    "Each action has an owner and a date",
)

_LOOK_AT: Final = re.compile(r"^\s*Look at:\s*(.*?)(?=\n\s*\n|\n\s*What helps:|\Z)", re.DOTALL | re.MULTILINE)
_SECTIONS: Final = re.compile(r"^\s*(?:Look at|What helps):", re.MULTILINE)
_PROSE: Final = 3_000
"""Most characters of a paragraph."""


def runbook_markdown(
    experiment: Experiment, estimate: LoadEstimate, *, words: Sequence[str], earlier: Mapping[str, Any] | None = None
) -> str:
    """The page as Markdown. `words`: what follows `brownout run` to play it. `earlier`: the report of a run of it.

    All text of the experiment and of the report is shown as it is: none of it is Markdown or HTML.
    """
    sections = [
        ("What we believe", _hypothesis(experiment)),
        ("What is played", _set_up(experiment, estimate)),
        ("What will be injected", _timeline(experiment)),
        ("What should happen", _predicted(experiment, earlier)),
        ("What to watch", _watch(experiment)),
        ("What helps", [prose(what_helps(experiment.description) or "The experiment does not say.", _PROSE)]),
        ("How to stop it", _stop(experiment)),
        ("Roles", [_table(("role", "who", "does"), [(role, " ", does) for role, does in ROLES])]),
        ("Checklist", _checklist()),
        ("Play it", _commands(words, with_people=not unplayable(experiment))),
    ]
    parts = [f"# Runbook: {prose(experiment.title)}"]
    for heading, blocks in sections:
        parts += [f"## {heading}", *blocks]
    return "\n\n".join(parts) + "\n"


def _hypothesis(experiment: Experiment) -> Iterator[str]:
    yield f"**{prose(experiment.title)}.**" if experiment.title else "The experiment has no title."
    yield from opening(experiment.description)


def opening(description: str) -> Iterator[str]:
    """The paragraphs of a description before `Look at:` and `What helps:`, as Markdown."""
    said = _SECTIONS.split(description, maxsplit=1)[0]
    for paragraph in re.split(r"\n\s*\n", said):
        if paragraph.strip():
            yield prose(" ".join(paragraph.split()), _PROSE)


def what_to_watch(description: str) -> str:
    """The paragraph `Look at:` of a description, as one line; "" without one."""
    found = _LOOK_AT.search(description)
    return " ".join(found[1].split()) if found else ""


def _set_up(experiment: Experiment, estimate: LoadEstimate) -> Iterator[str]:
    slo, timeline = experiment.slo, experiment.timeline
    rows = [
        ("experiment", code(experiment.name)),
        ("target", prose(target_text(experiment), _PROSE)),
        ("load", prose(load_text(experiment, estimate))),
        ("a good call", f"TTFT at most {duration_text(slo.ttft_s)}, TPOT at most {duration_text(slo.tpot_s)}"),
        ("warm-up, baseline", f"{duration_text(timeline.warmup_s)}, {duration_text(timeline.baseline_s)}"),
        ("recovery", duration_text(timeline.recovery_s)),
        ("seed", str(experiment.seed)),
    ]
    yield _table(("what", "value"), [(f"**{name}**", text) for name, text in rows])


def _timeline(experiment: Experiment) -> Iterator[str]:
    if not experiment.faults:
        yield "No fault: the exercise is the load itself."
    rows = []
    for row in timeline_rows(experiment):
        text = prose(row.text, _PROSE)
        rows.append((_clock(row.at_s), f"**{text}**" if row.kind == "phase" else text))
    yield _table(("after the start", "what"), rows)
    lines = command_lines(experiment)
    if lines:
        yield "These commands run on the machine that plays it:"
        yield shell_block(lines, most=None)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return table(head, rows, most_bytes=None)


def _clock(at_s: float) -> str:
    """Minutes and seconds since the start of the load: `1:05`."""
    minutes, seconds = divmod(round(at_s), 60)
    return f"{minutes}:{seconds:02}"


def _predicted(experiment: Experiment, earlier: Mapping[str, Any] | None) -> Iterator[str]:
    yield "All of this holds, or the exercise has found something:"
    before = {gate["text"]: gate for gate in (*earlier["steady_state"], *earlier["gates"])} if earlier else {}
    rows = []
    for gate in (*experiment.steady_state, *experiment.gates):
        when = "before a fault is injected" if gate in experiment.steady_state else "at the end"
        cells = [code(gate.text), prose(gate.spec.title), when]
        if earlier is not None:
            found = before.get(gate.text)
            text = "-" if found is None else f"{value_text(found['value'], found['unit'])}: {found['verdict']}"
            cells.append(prose(text))
        rows.append(cells)
    yield _table(("gate", "measure", "judged", *(["earlier run"] if earlier is not None else [])), rows)
    if earlier is None:
        yield "No earlier run was given. `--from RUN` adds its figures."
        return
    yield from _earlier(experiment, earlier)


def _earlier(experiment: Experiment, report: Mapping[str, Any]) -> Iterator[str]:
    run, values = report["run"], run_values(report)
    yield "### An earlier run"
    played = f"{code(str(run['folder']))}, {prose(str(run['started_at']))}, seed {prose(str(run['seed']))}"
    sentence = prose(str((report.get("explanation") or {}).get("sentence", "")), _PROSE)
    yield f"{played}: {prose(str(report['verdict']['verdict']))}. {sentence}"
    others = list(_differences(experiment, run))
    if others:
        yield f"It was played under other conditions: {prose('; '.join(others), _PROSE)}."
    if not values.sound:
        yield f"Its figures decide nothing: {prose(values.why, _PROSE)}."
    rows = [(code(name), *(_value(values, name, phase) for phase in PHASES)) for name in BY_PHASE]
    yield _table(("measure", *PHASES), rows)
    yield _table(("measure", "whole run"), [(code(name), _value(values, name, None)) for name in OF_RUN])


def _differences(experiment: Experiment, run: Mapping[str, Any]) -> Iterator[str]:
    """What differs between the earlier run and what is planned, apart from the seed."""
    stack = experiment.stack.name if experiment.stack is not None else None
    pairs = (
        ("stack", run.get("stack"), stack),
        ("gateway", run.get("gateway"), None if experiment.gateway is None else str(experiment.gateway)),
        ("url", run.get("url"), None if experiment.url is None else experiment.url.url),
        ("profile", run.get("profile"), experiment.profile.name),
        ("recordings", (run.get("trace") or {}).get("dir"), (experiment.trace or {}).get("dir")),
        ("factor of the load", run.get("load_scale") or 1.0, experiment.scale),
        ("smoke run (--short)", _yes(run.get("short_form")), _yes(experiment.short_form)),
        ("without its faults (twin)", _yes(run.get("twin_of")), _yes(experiment.twin_of)),
    )
    for name, then, now in pairs:
        if then != now:
            yield f"{name} {then if then is not None else 'none'}, now {now if now is not None else 'none'}"


def _yes(given: object) -> str:
    return "yes" if given else "no"


def _value(values: RunValues, name: str, phase: str | None) -> str:
    spec, found = spec_of(name), values.value(name, phase)
    if spec is None or found is None:
        return "-"
    return value_text(found, spec.unit_of(stat_of(name)))


def _watch(experiment: Experiment) -> Iterator[str]:
    yield prose(what_to_watch(experiment.description) or "The experiment does not say.", _PROSE)
    status = ", and `brownout status` in another" if experiment.stack is not None else ""
    yield (
        f"While it runs: offered and good calls in the terminal that plays it{status}. "
        "Afterwards: `report.html` in the folder of the run, and `brownout trace RUN --failover` for single calls."
    )


def _stop(experiment: Experiment) -> Iterator[str]:
    abort = "`brownout abort` in any terminal of this machine, or " if experiment.stack is not None else ""
    yield (
        f"- {abort}Ctrl-C in the terminal that plays it: the load stops, every fault is reverted, every process ends, "
        "in about 5 seconds.\n"
        "- If brownout itself is killed, its shepherd ends the processes and undoes the faults. `brownout heal` says "
        "whether something is left."
    )
    if experiment.guardrails:
        yield "It stops by itself on one of these conditions:"
        yield "\n".join(f"- {code(guardrail.text)}" for guardrail in experiment.guardrails)
    else:
        yield "No guardrail stops it by itself."


def _checklist() -> Iterator[str]:
    for heading, lines in (("Before", BEFORE), ("During", DURING), ("After", AFTER)):
        yield f"### {heading}"
        yield "\n".join(f"- [ ] {line}" for line in lines)


def _commands(words: Sequence[str], *, with_people: bool) -> Iterator[str]:
    verbs = ("check", "run", "gameday") if with_people else ("check", "run")
    yield shell_block([f"brownout {verb} {shlex.join(words)}" for verb in verbs], most=None)
    if with_people:
        yield "`brownout run` plays its timeline by itself. `brownout gameday` gives people its pages."
    yield "Where `brownout run` needs a permission (`--yes-i-may`, `--allow-exec`), `brownout check` says so."
