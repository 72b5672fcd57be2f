"""An experiment as steps at times: what the runner does, and what `brownout check` prints. Pure.

Times are planned ones, in seconds since the load's start. What follows the last fault's end comes later in a run by
as long as reverting and verifying takes (a killed replica has to start): the recovery begins when the last fault is
verified, and has its full length.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from chaos.experiment.model import Experiment

__all__ = ["Action", "Step", "phases", "steps"]

Action = Literal["phase", "inject", "revert", "end"]

_PHASE_RANK: Final = {"warmup": 0, "baseline": 1, "fault": 2, "recovery": 6, "drain": 7}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `what`: the phase that begins, or the fault's id; empty for the end."""

    at_s: float
    action: Action
    what: str


def steps(experiment: Experiment) -> list[Step]:
    """Every step, in the order of time; at one time reverts come before injections.

    The `fault` phase begins with the first injection, `recovery` with the end of the last fault. Without faults there
    is neither. A phase of no length begins all the same.
    """
    timeline = experiment.timeline
    base_s = timeline.warmup_s + timeline.baseline_s
    ranked: list[tuple[float, int, int, Step]] = []

    def add(rank: int, step: Step, order: int = 0) -> None:
        ranked.append((step.at_s, rank, order, step))

    def phase(name: str, at_s: float) -> None:
        add(_PHASE_RANK[name], Step(at_s, "phase", name))

    phase("warmup", 0.0)
    phase("baseline", timeline.warmup_s)
    for order, fault in enumerate(experiment.faults):
        begin_s = base_s + fault.at_s
        add(4, Step(begin_s, "inject", fault.id), order)
        # one of no length (a restart) is reverted after its own injection
        add(3 if fault.for_s > 0 else 5, Step(begin_s + fault.for_s, "revert", fault.id), order)
    if experiment.faults:
        phase("fault", base_s + min(fault.at_s for fault in experiment.faults))
        phase("recovery", base_s + max(fault.at_s + fault.for_s for fault in experiment.faults))
    phase("drain", experiment.load_s)
    add(8, Step(experiment.load_s + timeline.drain_s, "end", ""))
    return [step for *_, step in sorted(ranked, key=lambda entry: entry[:3])]


def phases(experiment: Experiment) -> dict[str, tuple[float, float]]:
    """The planned begin and end of each phase, seconds since the load's start; those of no length are left out."""
    begins = [step for step in steps(experiment) if step.action in ("phase", "end")]
    return {begin.what: (begin.at_s, end.at_s) for begin, end in pairwise(begins) if end.at_s > begin.at_s}
