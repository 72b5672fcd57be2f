"""The plan of an experiment, whose timeline of faults becomes the run sheet, and of an exercise without steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from chaos.experiment.model import Experiment, PlannedFault
from chaos.faults.selection import Selector
from chaos.gameday.core.plan import Drawn, Plan, Step
from chaos.gameday.scenario.steps import step_of
from reports.shared.errors import UserError

__all__ = ["BRIEFING", "free_plan", "plan_of_experiment", "unplayable"]

BRIEFING: Final = (
    "You are on call for this stack. Something may go wrong. Say when you see something, say what you believe it is, "
    "and act."
)
"""The briefing where a plan has none of its own."""


def plan_of_experiment(experiment: Experiment, drawn: Drawn | None = None) -> Plan:
    """Its faults at their times, after the baseline; it ends when the game master ends it. Raises UserError."""
    why_not = unplayable(experiment)
    if why_not:
        raise UserError(f"{experiment.name}: {why_not}\n    play it with brownout run {experiment.name}")
    return Plan(
        name=experiment.name,
        title=experiment.title,
        description=experiment.description,
        briefing=BRIEFING,
        family=experiment.family,
        source="experiment",
        steps=tuple(_steps(experiment)),
        drawn=drawn,
    )


def unplayable(experiment: Experiment) -> str:
    """Why people cannot play it as a game day; "" where they can."""
    if experiment.stack is None:
        return "a game day needs replicas of brownout, and its target has none"
    if not experiment.faults:
        return "it has no fault that people could find"
    if any(fault.spec.where == "system" for fault in experiment.faults):
        return "it runs commands of yours, which a game day cannot inject by hand"
    return ""


def free_plan(title: str) -> Plan:
    """An exercise without steps: the game master injects by hand. `title`: for the game master."""
    return Plan(name="free", title=title, briefing=BRIEFING, source="free")


def _steps(experiment: Experiment) -> Iterator[Step]:
    for fault in experiment.faults:
        yield step_of(
            fault.id,
            fault.spec,
            _options(fault),
            fault.targets,
            at_s=experiment.timeline.baseline_s + fault.at_s,
            for_s=fault.for_s or None,
        )


def _options(fault: PlannedFault) -> dict[str, Any]:
    """What the file says about the fault, apart from its times."""
    given = fault.spec.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    given.pop("for_", None)  # of a stream that stalls: by hand, `for` is how long the fault lasts
    if isinstance(fault.spec, Selector) and not given.keys() & {"pool", "replica", "cloud", "count"}:
        given["replica"] = list(fault.targets)
    return given
