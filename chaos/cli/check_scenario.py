"""`brownout check` for a scenario that has no mistakes: how much is in it, and what `gameday` will need.

It tells no more of the fault than the title does, so that its author may show it.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chaos.experiment.target_checks import installation_problem
from chaos.experiment.wording import target_text
from chaos.gameday.scenario.game_day import GameDay
from reports.shared.documents import duration_text
from reports.shared.errors import UserError

__all__ = ["only_experiments", "scenario_renderable"]


def only_experiments(name: str, options: Mapping[str, object]) -> None:
    """Raises UserError for the first of these options that is given: they are not for scenarios."""
    for option, given in options.items():
        if given is not None:
            raise UserError(f"{name} is a scenario, and {option} is for experiments\n    leave {option} out")


def scenario_renderable(day: GameDay) -> RenderableType:
    """What is in a valid scenario, for a terminal."""
    plan, experiment = day.plan, day.experiment
    counts = [
        (len(plan.steps), "fault", "faults"),
        (len(plan.hints), "hint", "hints"),
        (len(plan.questions), "event", "events"),
        (len(plan.branches), "branch", "branches"),
        (len(plan.findings), "expected finding", "expected findings"),
    ]
    table = Table.grid(padding=(0, 2))
    table.add_row("target", target_text(experiment, reserve_is="in reserve"))
    if experiment.gateway is not None and (problem := installation_problem(experiment.gateway)):
        table.add_row("", Text(f"{problem}; gameday will refuse to start without it", style="yellow"))
    table.add_row("load", f"profile {experiment.profile.name}")
    slo = experiment.slo
    table.add_row("slo", f"TTFT <= {duration_text(slo.ttft_s)}, TPOT <= {duration_text(slo.tpot_s)}")
    table.add_row("length", duration_text(plan.length_s or 0.0))
    table.add_row("plan", ", ".join(f"{n} {one if n == 1 else many}" for n, one, many in counts if n))
    return Group(
        Text(plan.title, style="bold"),
        Text(f"scenario {plan.name}  ({experiment.path})", style="dim"),
        Text(),
        table,
        *(Text(f"guardrail: {guardrail.text}") for guardrail in experiment.guardrails),
        Text("nothing is wrong", style="green"),
    )
