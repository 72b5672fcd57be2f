"""An experiment in words: its target, its load, its faults, its timeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from chaos.experiment.load_estimate import LoadEstimate
from chaos.experiment.load_scale import scale_text
from chaos.experiment.model import Experiment, PlannedFault
from chaos.experiment.timeline import steps
from reports.shared.documents import duration_text

__all__ = ["TimelineRow", "fault_text", "load_text", "params_text", "target_text", "timeline_rows"]


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One step of a run. `at_s`: seconds since the load's start."""

    at_s: float
    kind: Literal["phase", "inject", "revert", "note"]
    text: str


def target_text(experiment: Experiment, *, reserve_is: str = "left out, as a reserve") -> str:
    """The target, with the pools of its stack. `reserve_is`: what is said of those in reserve."""
    stack, url = experiment.stack, experiment.url
    if stack is None:
        return f"{url.url} (model {url.model})" if url is not None else "none"
    pools = ", ".join(f"{pool.name}: {pool.replicas} x {pool.hardware} in {pool.cloud}" for pool in stack.pools)
    reserve = ", ".join(pool.name for pool in stack.reserve)
    left_out = f"; {reserve_is}: {reserve}" if reserve else ""
    of_stack = f"stack {stack.name} ({pools}{left_out})"
    if experiment.gateway is not None:
        return f"{experiment.gateway} in front of the replicas of the {of_stack}"
    if url is None:
        return of_stack
    last = experiment.first_port + len(stack.replicas) - 1
    ports = f"ports {experiment.first_port} to {last}"
    return f"{url.url} (model {url.model}), in front of the replicas of the {of_stack} on the {ports}"


def load_text(experiment: Experiment, estimate: LoadEstimate) -> str:
    """Where the sessions come from, about how many there are, and how long it takes."""
    source = f"recordings in {experiment.trace['dir']}" if experiment.trace else f"profile {experiment.profile.name}"
    sessions, calls = len(estimate.sessions), sum(len(session.calls) for session in estimate.sessions)
    lasts = f"{duration_text(experiment.load_s)} and a drain of at most {duration_text(experiment.timeline.drain_s)}"
    scaled = f", {scale_text(experiment.scale)}" if experiment.scale != 1 else ""
    return f"{source}{scaled}: about {sessions:,} sessions and {calls:,} calls in {lasts}"


def timeline_rows(experiment: Experiment) -> Iterator[TimelineRow]:
    """Each step of the run, in the order of time."""
    faults = {fault.id: fault for fault in experiment.faults}
    for step in steps(experiment):
        if step.action == "phase":
            yield TimelineRow(step.at_s, "phase", step.what)
        elif step.action == "inject":
            yield TimelineRow(step.at_s, "inject", f"{step.what}: {fault_text(faults[step.what])}")
        elif step.action == "revert":
            yield TimelineRow(step.at_s, "revert", _revert_text(faults[step.what], step.at_s))
        elif step.action == "judge_steady_state":
            text = "steady state judged: nothing is injected if one of its gates fails"
            yield TimelineRow(step.at_s, "note", text)
        elif step.action == "confirm_metastable":
            text = "if the stack is still down: new sessions are shed for a while, then admitted again"
            yield TimelineRow(step.at_s, "note", text)
        else:
            yield TimelineRow(step.at_s, "phase", "at the latest: end")


def fault_text(fault: PlannedFault) -> str:
    """What a fault does, and to which targets: `slow_tokens 30% of the requests at gpu-0, gpu-1 (ms 200)`."""
    share = f"{fault.share * 100:g}% of the requests at " if fault.share is not None else ""
    if fault.only:
        share = f"{_only_text(fault.only)} {share or 'at '}"
    if fault.spec.where == "system":  # its commands have a list of their own
        return f"{fault.kind} on {', '.join(fault.targets)}"
    params = params_text(fault.params)
    return f"{fault.kind} {share}{', '.join(fault.targets)}" + (f" ({params})" if params else "")


def params_text(params: Mapping[str, Any]) -> str:
    """The parameters of a fault that are set: `ms 300, jitter_ms 20`."""
    set_ones = {key: value for key, value in params.items() if value not in (0, None)}
    return ", ".join(f"{key} {f'{one:.12g}' if isinstance(one, float) else one}" for key, one in set_ones.items())


def _revert_text(fault: PlannedFault, at_s: float) -> str:
    """`at_s`: when the revert is due, seconds since the load's start."""
    text = f"{fault.id}: {fault.kind} reverted, and verified"
    if not fault.outlasts:
        return text
    return f"{text} by {round(at_s + fault.ends_s - fault.at_s - fault.for_s, 9):g} s: after its {fault.outlasts}"


def _only_text(only: dict[str, Any]) -> str:
    """The selectors of requests as text."""
    parts = [
        f"{name} {', '.join(f'{k}: {v}' for k, v in value.items()) if isinstance(value, dict) else _listed(value)}"
        for name, value in only.items()
    ]
    return f"[{'; '.join(parts)}]"


def _listed(value: Any) -> str:
    return " or ".join(value) if isinstance(value, list) else str(value)
