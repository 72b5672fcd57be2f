"""An experiment as steps at times: the one timeline, which the plan prints and the runner executes. Pure.

Times are planned ones, in seconds since the load's start. In a run, three things can delay what follows: a steady
state is judged, a revert takes longer than planned (a killed replica has to start), or a metastable state is
confirmed. The runner then shifts all later steps by the delay, so that each phase keeps its planned length; only the
fault phase is as long as its faults are (a terminated replica may end before its notice does).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from chaos.experiment.model import Experiment

__all__ = ["Action", "Step", "phases", "steps"]

Action = Literal["phase", "judge_steady_state", "inject", "revert", "confirm_metastable", "end"]
"""`phase`: a phase begins; `judge_steady_state`: nothing is injected if a gate of `steady_state` fails;
`confirm_metastable`: if the stack is still down, new sessions are shed for a while and then admitted again.
"""

_AT_ONE_TIME: Final = {
    "warmup": 0,
    "baseline": 1,
    "judge_steady_state": 2,
    "fault": 3,
    "revert": 4,
    "inject": 5,
    "revert at once": 6,
    "recovery": 7,
    "confirm_metastable": 8,
    "drain": 9,
    "end": 10,
}
"""The order of steps at one time: reverts before injections, except of a fault that has no length (a restart)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `what`: the phase that begins, or the fault's id; empty for the other actions."""

    at_s: float
    action: Action
    what: str = ""


def steps(experiment: Experiment, *, earliest: bool = False) -> list[Step]:
    """Every step, in order of time; at one time, reverts come before injections.

    `earliest`: the recovery begins where no replica uses any of its notice; else, where each uses all of it.

    The `fault` phase begins with the first injection, `recovery` when every target is as before, notices and cold
    starts included. A run without
    faults has neither, except the twin of a run, whose phases are as long as that run's. A phase of no length is a step
    as well.
    """
    timeline = experiment.timeline
    base_s = timeline.warmup_s + timeline.baseline_s
    last_s = max((fault.earliest_end_s if earliest else fault.ends_s for fault in experiment.faults), default=0.0)
    load_s = base_s + last_s + timeline.recovery_s if experiment.faults and earliest else experiment.load_s
    ranked: list[tuple[float, int, int, Step]] = []

    def add(rank: str, step: Step, order: int = 0) -> None:
        # To the nanosecond: 0.3 + 7.9 is a little more than 8.2, and a revert must still come before an injection.
        ranked.append((round(step.at_s, 9), _AT_ONE_TIME[rank], order, step))

    def phase(name: str, at_s: float) -> None:
        add(name, Step(at_s, "phase", name))

    phase("warmup", 0.0)
    phase("baseline", timeline.warmup_s)
    if experiment.steady_state:
        add("judge_steady_state", Step(base_s, "judge_steady_state"))
    for order, fault in enumerate(experiment.faults):
        add("inject", Step(base_s + fault.at_s, "inject", fault.id), order)
        # Added in the same order as the begin of the recovery below: with another one, rounding could put the revert
        # of the last fault after it.
        end_s = base_s + (fault.at_s + fault.for_s)
        add("revert" if fault.for_s > 0 else "revert at once", Step(end_s, "revert", fault.id), order)
    if experiment.faults:
        phase("fault", base_s + min(fault.at_s for fault in experiment.faults))
        phase("recovery", base_s + last_s)
    elif experiment.twin_of is not None:
        phase("fault", base_s)
        phase("recovery", base_s + experiment.twin_of.fault_s)
    if experiment.faults and timeline.confirm_metastable:
        add("confirm_metastable", Step(load_s, "confirm_metastable"))
    phase("drain", load_s)
    add("end", Step(load_s + timeline.drain_s, "end"))
    return [step for *_, step in sorted(ranked, key=lambda entry: entry[:3])]


def phases(experiment: Experiment, *, earliest: bool = False) -> dict[str, tuple[float, float]]:
    """The planned begin and end of each phase, seconds since the load's start; those of no length are left out.

    `earliest`: as for `steps`. A plan promises no more samples than these phases have.
    """
    begins = [step for step in steps(experiment, earliest=earliest) if step.action in ("phase", "end")]
    return {begin.what: (begin.at_s, end.at_s) for begin, end in pairwise(begins) if end.at_s > begin.at_s}
