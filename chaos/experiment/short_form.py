"""The short form of an experiment: all of it in about eight seconds, for smoke tests and CI.

Every phase, and the begin and length of each fault, is divided by one factor; so are those durations of a fault that
must fit into a phase (`FaultSpec.scaled_times`). The share of the requests that a fault hits is multiplied by it, so
that as many requests are hit. What a fault does to a request (a delay, a factor) is kept. Most gates get too few
calls: the verdict is mostly inconclusive. It tests the experiment, not the stack.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from chaos.experiment.model import Experiment, PlannedFault

__all__ = ["SHORT_DRAIN_S", "SHORT_LOAD_S", "short_form"]

SHORT_LOAD_S: Final = 8.0
SHORT_DRAIN_S: Final = 5.0


def short_form(experiment: Experiment) -> Experiment:
    """The experiment in `SHORT_LOAD_S` seconds of load; a shorter one keeps its length, except for the drain.

    Without steady_state, guardrails and confirmation, which need more time than it has.
    """
    factor = min(1.0, SHORT_LOAD_S / experiment.load_s)
    timeline = experiment.timeline
    return replace(
        experiment,
        timeline=replace(
            timeline,
            warmup_s=timeline.warmup_s * factor,
            baseline_s=timeline.baseline_s * factor,
            recovery_s=timeline.recovery_s * factor,
            drain_s=min(SHORT_DRAIN_S, timeline.drain_s),
            confirm_metastable=False,
        ),
        faults=tuple(_shorter(fault, factor) for fault in experiment.faults),
        steady_state=(),
        guardrails=(),
        short_form=True,
    )


def _shorter(fault: PlannedFault, factor: float) -> PlannedFault:
    times = {name: getattr(fault.spec, name) for name in fault.spec.scaled_times}
    fitted = {name: value * factor for name, value in times.items() if value is not None}
    if fault.spec.requests_share is not None:
        fitted["share"] = min(1.0, fault.spec.requests_share / factor)
    spec = fault.spec.model_copy(update=fitted)
    return replace(fault, at_s=fault.at_s * factor, for_s=fault.for_s * factor, spec=spec)
