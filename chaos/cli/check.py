"""`brownout check`: validates experiments and scenarios, and prints their plans. It starts nothing.

A plan has the timeline, the targets of each fault, whether the planned load is enough to decide each gate, and warnings
about gates and guardrails. Of a scenario, `chaos.cli.check_scenario` says how much is in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from chaos.cli.check_scenario import only_experiments, scenario_renderable
from chaos.cli.console import open_console
from chaos.cli.plan import Plan, estimated, make_plan
from chaos.cli.preparation import gateway_choice, port_warning
from chaos.cli.side_by_side import combinations
from chaos.experiment.commands import command_lines, commands_folder, missing_programs
from chaos.experiment.gate_load import unreached_gates, unreached_guardrails
from chaos.experiment.load_estimate import LoadEstimate
from chaos.experiment.load_scale import parse_scale
from chaos.experiment.model import AlertSettings, Experiment, UrlTarget, load_experiment
from chaos.experiment.target_checks import (
    PERMISSION_OPTION,
    called_url,
    environment_problems,
    installation_problem,
    needs_permission,
)
from chaos.experiment.wording import load_text, target_text, timeline_rows
from chaos.gameday.scenario.model import load_scenario
from chaos.gameday.scenario.named import what_is
from chaos.supervision.command import ALLOW_EXEC
from reports.shared.documents import duration_text
from reports.shared.errors import UserError

__all__ = ["check_experiments", "plan_renderable", "plan_text"]

_STEP_STYLE: Final = {"phase": "bold", "inject": "red", "revert": "green", "note": ""}
_AUTO_NOTE = (
    "--scale auto: this is the plan of the whole load. A run finds the factor, at most 1, by a ramp before it; see the "
    "plan of a smaller load with --scale FACTOR."
)


def check_experiments(
    names: Sequence[str],
    *,
    stacks: Sequence[str] | None,
    seed: int | None,
    trace: dict[str, object] | None,
    target: Path | None = None,
    gateways: Sequence[str] | None = None,
    scale: str | None = None,
) -> int:
    """Validate each experiment or scenario, on each stack and gateway, and print its plan. Returns exit code 0.

    `scale`: as given; `auto` prints the plan of the whole load, because only a run finds the factor.
    Raises UserError with the mistakes of all experiments, after the plans of the valid ones.
    """
    problems: list[str] = []
    given = parse_scale(scale)
    factor = 1.0 if isinstance(given, str) else given
    variants = combinations(stacks, gateways, None)
    for name, variant in product(names, variants):
        try:
            stack, choice = variant.stack, gateway_choice(variant.gateway)
            if what_is(name) == "scenario":
                only_experiments(name, {"--trace": trace, "--scale": scale})
                day = load_scenario(name, stack=stack, seed=seed, target=target, gateway=choice)
                open_console().print(scenario_renderable(day))
                continue
            experiment = load_experiment(name, stack=stack, seed=seed, trace=trace, target=target, gateway=choice)
            experiment = replace(experiment, scale=factor)
            open_console().print(plan_renderable(make_plan(experiment, estimated(experiment))))
            if isinstance(given, str):
                open_console().print(Text(_AUTO_NOTE, style="yellow"))
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError("\n".join(dict.fromkeys(problems)))
    return 0


def plan_text(experiment: Experiment, estimate: LoadEstimate, *, width: int = 110) -> str:
    """The plan as plain text."""
    console = Console(width=width, color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(plan_renderable(make_plan(experiment, estimate)))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def plan_renderable(plan: Plan) -> RenderableType:
    """The plan for a terminal."""
    experiment = plan.experiment
    parts: list[RenderableType] = [
        Text(experiment.title, style="bold"),
        Text(f"{experiment.name}  ({experiment.path})", style="dim"),
        Text(),
        _facts(plan),
        Text(),
        Text("Timeline", style="bold"),
        _timeline(experiment),
        Text(),
        Text("Gates", style="bold"),
        _gate_table(plan),
    ]
    parts.extend(_command_notes(experiment))
    parts.extend(Text(f"guardrail: {guardrail.text}") for guardrail in experiment.guardrails)
    parts.extend(Text(f"tolerance where a gate compares runs: {text}") for text in experiment.tolerances)
    parts.extend(Text(f"warning: {line}", style="yellow") for line in _warnings(plan))
    if not plan.decidable:
        parts.append(
            Text(
                "A gate that its load cannot decide ends inconclusive (exit code 3). It needs more sessions (a higher"
                " rate or a longer phase), or a lower limit.",
                style="yellow",
            )
        )
    return Group(*parts)


def _facts(plan: Plan) -> Table:
    experiment, estimate = plan.experiment, plan.estimate
    table = Table.grid(padding=(0, 2))
    table.add_row("target", target_text(experiment))
    if experiment.url is not None:
        for label, note in _url_notes(experiment, experiment.url):
            table.add_row(label, note)
    if experiment.gateway is not None and (problem := installation_problem(experiment.gateway)):
        table.add_row("", Text(f"{problem}; run will refuse to start without it", style="yellow"))
    table.add_row("load", load_text(experiment, estimate))
    for line in estimate.notes:
        table.add_row("", line)
    if experiment.alerts is not None:
        table.add_row("alerts", _alerts_text(experiment.alerts))
    slo = experiment.slo
    table.add_row("slo", f"TTFT <= {duration_text(slo.ttft_s)}, TPOT <= {duration_text(slo.tpot_s)}")
    table.add_row("seed", str(experiment.seed))
    return table


def _url_notes(experiment: Experiment, target: UrlTarget) -> Iterator[tuple[str, Text]]:
    """What is called, and what `run` will need on this machine."""
    yield "calls", Text(f"POST {called_url(experiment, target)}")
    options = [f"{name}: {value}" for name, value in _changed_options(target)]
    if options:
        yield "", Text(", ".join(options))
    if needs_permission(target):
        yield "", Text(f"not this machine: run wants {PERMISSION_OPTION}", style="yellow")
    for problem in environment_problems(target, os.environ):
        yield "", Text(f"{problem}; run will refuse to start", style="yellow")


def _command_notes(experiment: Experiment) -> Iterator[Text]:
    """The commands of the user's that `run` would run, and what it wants for that."""
    lines = command_lines(experiment)
    if not lines:
        return
    yield Text()
    yield Text(f"Commands that run on this machine, in {commands_folder(experiment)}", style="bold")
    for line in lines:
        yield Text(f"  {line}")
    yield Text(f"run wants {ALLOW_EXEC}", style="yellow")
    for problem in missing_programs(experiment):
        yield Text(f"{problem}; run will refuse to start", style="yellow")


def _changed_options(target: UrlTarget) -> Iterator[tuple[str, str]]:
    if target.max_tokens_field is not None:
        yield "max_tokens_field", target.max_tokens_field
    if not target.tools:
        yield "tools", "false"
    if not target.stream_options:
        yield "stream_options", "false (the endpoint reports no usage: token counts are estimates)"
    if target.headers:
        yield "headers", " and ".join(target.headers)


def _alerts_text(alerts: AlertSettings) -> str:
    where = f"POST http://127.0.0.1:{alerts.port}/" if alerts.port else "POST to a free port, which run prints"
    return where + (f", those with {', '.join(f'{k}: {v}' for k, v in alerts.match.items())}" if alerts.match else "")


def _timeline(experiment: Experiment) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right")
    for row in timeline_rows(experiment):
        indent = "" if row.kind == "phase" else "  "
        table.add_row(f"{row.at_s:g} s", Text(f"{indent}{row.text}", style=_STEP_STYLE[row.kind]))
    return table


def _warnings(plan: Plan) -> Iterator[str]:
    if line := port_warning(plan.experiment):
        yield line
    for warning in plan.experiment.warnings:
        yield str(warning.problem)
    for gate, why in unreached_gates(plan.experiment, plan.estimate):
        yield f'"{gate.text}": {why}'
    for guardrail, why in unreached_guardrails(plan.experiment, plan.estimate):
        yield f'"{guardrail.text}": {why}'


def _warned(plan: Plan) -> set[tuple[str, bool]]:
    """The gates with a warning: their text, and whether they are of the steady state."""
    steady = plan.experiment.steady_state
    found = {(warning.gate.text, warning.steady_state) for warning in plan.experiment.warnings}
    return found | {(gate.text, gate in steady) for gate, _ in unreached_gates(plan.experiment, plan.estimate)}


def _gate_table(plan: Plan) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("gate", "samples", "count as", "needs", "can it be decided? (95% intervals)"):
        left = heading.startswith(("gate", "can"))
        table.add_column(heading, header_style="dim", justify="left" if left else "right", overflow="fold")
    warned = _warned(plan)
    for gate in plan.gates:
        steady = gate.gate in plan.experiment.steady_state
        doubtful = gate.enough and (gate.gate.text, steady) in warned
        samples = "" if gate.samples is None else f"{gate.samples:,}"
        needed = "" if gate.needed is None else f"{gate.needed:,}"
        effective = "" if gate.decidability is None else f"{gate.decidability.effective:,.0f}"
        text = gate.gate.text + (" (steady state)" if steady else "")
        reason = "see the warning below" if doubtful else gate.reason
        style = "yellow" if doubtful or not (gate.enough and gate.room) else ""
        table.add_row(text, samples, effective, needed, Text(reason, style=style))
    return table
