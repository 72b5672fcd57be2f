"""The short form of an experiment: everything it does in about eight seconds, for smoke tests and CI.

Every phase, and when and how long each fault is, shrinks by one factor; so do a fault's own times that have to fit into
a phase. The share of the requests that a fault hits grows by it, so that as many are hit. What a fault does to them (a
delay, a factor) stays. Too few calls are made for most gates: the verdict is mostly
inconclusive, and is about the machinery, not about the stack.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from chaos.experiment.model import Experiment, PlannedFault

__all__ = ["SHORT_DRAIN_S", "SHORT_LOAD_S", "short_form"]

SHORT_LOAD_S: Final = 8.0
SHORT_DRAIN_S: Final = 5.0

SHRINKS: Final = ("cold_start", "grace", "half_life", "notice", "period", "stall")
"""The times of a fault that have to fit into a phase."""


def short_form(experiment: Experiment) -> Experiment:
    """The experiment in `SHORT_LOAD_S` of load; as it is where it is no longer than that, but for its drain.

    Without steady_state, guardrails and confirmation, which watch for longer than there is.
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
    times = {name: getattr(fault.spec, name, None) for name in SHRINKS}
    fitted = {name: value * factor for name, value in times.items() if value is not None}
    if fault.spec.requests_share is not None:
        fitted["share"] = min(1.0, fault.spec.requests_share / factor)
    spec = fault.spec.model_copy(update=fitted)
    return replace(fault, at_s=fault.at_s * factor, for_s=fault.for_s * factor, spec=spec)
