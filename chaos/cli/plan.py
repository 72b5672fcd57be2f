"""What `brownout check` prints: the timeline, whom each fault takes, and whether the plan can decide each gate.

A gate on a fact is decided by any run. One on a percentile needs as many samples as its interval does, one on a rate as
many as make Wilson's bound reachable, and both, and ratios, sessions enough to resample (`docs/measures.md`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from chaos.experiment.load_estimate import LoadEstimate, PlannedDemand, Window, estimate_load
from chaos.experiment.model import Experiment, PlannedFault
from chaos.experiment.timeline import phases, steps
from loadprofiles.demand import Order
from reports.gates.grammar import Gate, samples_needed
from reports.history.statistics import MIN_SESSIONS, wilson_interval
from reports.shared.documents import duration_text

__all__ = ["GatePlan", "Plan", "estimated", "make_plan", "plan_renderable", "plan_text", "print_plan"]


@dataclass(frozen=True, slots=True)
class GatePlan:
    """What the plan gives a gate. `samples` None: a fact, whatever the number. `enough`: it can be decided."""

    gate: Gate
    samples: int | None
    what: str
    needed: int | None
    enough: bool
    said: str


@dataclass(frozen=True, slots=True)
class Plan:
    """An experiment's plan: pure data, printed by `plan_renderable`."""

    experiment: Experiment
    estimate: LoadEstimate
    gates: tuple[GatePlan, ...]

    @property
    def decidable(self) -> bool:
        """Whether every gate can be decided."""
        return all(gate.enough for gate in self.gates)


def make_plan(experiment: Experiment, estimate: LoadEstimate) -> Plan:
    """Works out what each gate will get."""
    gates = [_gate_plan(experiment, estimate, gate) for gate in (*experiment.steady_state, *experiment.gates)]
    return Plan(experiment, estimate, tuple(gates))


def plan_text(experiment: Experiment, estimate: LoadEstimate, *, width: int = 110) -> str:
    """The plan as plain text."""
    console = Console(width=width, color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(plan_renderable(make_plan(experiment, estimate)))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def print_plan(experiment: Experiment, console: Console | None = None) -> Plan:
    """Prints an experiment's plan. Raises `reports.shared.errors.InvalidFile` where its traces cannot be read."""
    plan = make_plan(experiment, estimated(experiment))
    (console or Console(highlight=False)).print(plan_renderable(plan))
    return plan


def estimated(experiment: Experiment) -> LoadEstimate:
    """The load that an experiment will offer, its demand faults included."""
    base_s = experiment.timeline.warmup_s + experiment.timeline.baseline_s
    demands = [
        PlannedDemand(
            Order(fault.id, fault.kind, fault.params, fault.seed),
            base_s + fault.at_s,
            base_s + fault.at_s + fault.for_s,
        )
        for fault in experiment.faults
        if fault.spec.where == "load"
    ]
    return estimate_load(experiment.profile, experiment.trace, experiment.seed, experiment.load_s, demands)


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
    parts.extend(Text(f"guardrail: {guardrail.text}") for guardrail in experiment.guardrails)
    if not plan.decidable:
        parts.append(
            Text("A gate without samples enough ends inconclusive (exit code 3), never passed.", style="yellow")
        )
    return Group(*parts)


# -- what is played -------------------------------------------------------------------------------------------------
def _facts(plan: Plan) -> Table:
    experiment, estimate = plan.experiment, plan.estimate
    table = Table.grid(padding=(0, 2))
    table.add_row("target", _target_text(experiment))
    source = f"recordings in {experiment.trace['dir']}" if experiment.trace else f"profile {experiment.profile.name}"
    sessions, calls = len(estimate.sessions), sum(len(session.calls) for session in estimate.sessions)
    lasting = f"{duration_text(experiment.load_s)} and a drain of at most {duration_text(experiment.timeline.drain_s)}"
    table.add_row("load", f"{source}: about {sessions:,} sessions and {calls:,} calls in {lasting}")
    for line in estimate.notes:
        table.add_row("", line)
    slo = experiment.slo
    table.add_row("slo", f"TTFT <= {duration_text(slo.ttft_s)}, TPOT <= {duration_text(slo.tpot_s)}")
    table.add_row("seed", str(experiment.seed))
    return table


def _target_text(experiment: Experiment) -> str:
    if experiment.url is not None:
        return f"{experiment.url.url} (model {experiment.url.model})"
    stack = experiment.stack
    if stack is None:
        return "none"
    pools = ", ".join(f"{pool.name}: {pool.replicas} x {pool.hardware} in {pool.cloud}" for pool in stack.pools)
    return f"stack {stack.name} ({pools})"


def _timeline(experiment: Experiment) -> Table:
    faults = {fault.id: fault for fault in experiment.faults}
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right")
    for step in steps(experiment):
        at = f"{step.at_s:g} s"
        if step.action == "phase":
            table.add_row(at, Text(step.what, style="bold"))
        elif step.action == "inject":
            table.add_row(at, Text(f"  {step.what}: {_fault_text(faults[step.what])}", style="red"))
        elif step.action == "revert":
            table.add_row(at, Text(f"  {step.what}: {faults[step.what].kind} reverted, and verified", style="green"))
        elif step.action == "judge_steady_state":
            table.add_row(at, Text("  steady state judged: nothing is injected if one of its gates fails"))
        elif step.action == "confirm_metastable":
            table.add_row(at, Text("  if it is still down: new sessions are shed for a while, then admitted again"))
        else:
            table.add_row(at, "at the latest: end")
    return table


def _fault_text(fault: PlannedFault) -> str:
    share = f"{fault.share * 100:g}% of the requests at " if fault.share is not None else ""
    if fault.only:
        share = f"{_only_text(fault.only)} {share or 'at '}"
    params = ", ".join(f"{key} {value}" for key, value in fault.params.items() if value not in (0, None))
    return f"{fault.kind} {share}{', '.join(fault.targets)}" + (f" ({params})" if params else "")


def _only_text(only: dict[str, Any]) -> str:
    """The selectors of requests in words."""
    said = [
        f"{name} {', '.join(f'{k}: {v}' for k, v in value.items()) if isinstance(value, dict) else _listed(value)}"
        for name, value in only.items()
    ]
    return f"[{'; '.join(said)}]"


def _listed(value: Any) -> str:
    return " or ".join(value) if isinstance(value, list) else str(value)


# -- gates ----------------------------------------------------------------------------------------------------------
def _gate_table(plan: Plan) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("gate", "samples", "needs", "can it be decided?"):
        table.add_column(heading, header_style="dim", justify="right" if heading in ("samples", "needs") else "left")
    for gate in plan.gates:
        samples = "" if gate.samples is None else f"{gate.samples:,}"
        needed = "" if gate.needed is None else f"{gate.needed:,}"
        text = gate.gate.text + (" (steady state)" if gate.gate in plan.experiment.steady_state else "")
        table.add_row(text, samples, needed, Text(gate.said, style="" if gate.enough else "yellow"))
    return table


def _gate_plan(experiment: Experiment, estimate: LoadEstimate, gate: Gate) -> GatePlan:
    if gate.kind == "fact" and not gate.relative_to_baseline:
        return GatePlan(gate, None, "", None, True, "yes: a fact of the run, exact")
    planned = phases(experiment)
    scopes = [("", _windows(planned, gate.phases))]
    if gate.relative_to_baseline:
        scopes.append(("in the baseline ", _windows(planned, ("baseline",))))
    tenant = gate.where[1] if gate.where is not None and gate.where[0] == "tenant" else None
    portion = _portion(experiment, gate)
    if gate.spec.samples == "attempts that obeyed":
        return GatePlan(gate, None, "", None, True, "it depends on how many are asked for a pause and come back")
    needs = samples_needed(gate)
    what = needs.what if needs is not None else gate.spec.samples or "calls"
    samples: int | None = None
    for where, windows in scopes:
        got = int(_samples(experiment, estimate, what, windows, tenant) * portion)
        samples = got if samples is None else min(samples, got)
        if needs is not None and got < needs.count:
            said = f"no: about {got:,} {what} {where}are too few"
            return GatePlan(gate, got, what, needs.count, False, said)
        drawn = estimate.sessions_with_calls_in(windows, tenant)
        if portion < 1:  # each of them may send a few calls there, or none
            drawn = min(drawn, int(estimate.calls_in(windows, tenant) * portion))
        if gate.kind != "rate" and drawn < MIN_SESSIONS:
            said = f"no: an interval needs {MIN_SESSIONS} sessions, and about {drawn} {where}are planned"
            return GatePlan(gate, got, what, needs.count if needs else None, False, said)
    return GatePlan(gate, samples, what, needs.count if needs else None, True, _yes(gate, samples or 0, what))


def _windows(planned: dict[str, Window], names: Iterable[str]) -> list[Window]:
    return [planned[name] for name in names if name in planned]


def _samples(
    experiment: Experiment, estimate: LoadEstimate, what: str, windows: list[Window], tenant: str | None
) -> int:
    if what == "sessions":
        return estimate.sessions_in(windows, tenant)
    if what in ("interrupted calls", "calls that met the fault"):
        faults = [fault for fault in experiment.faults if what != "interrupted calls" or fault.spec.where != "load"]
        return sum(_met(experiment, estimate, fault) for fault in faults)
    return estimate.calls_in(windows, tenant)


def _met(experiment: Experiment, estimate: LoadEstimate, fault: PlannedFault) -> int:
    """About how many calls will meet a fault, with the load spread evenly over the replicas.

    A replica that is stopped takes what is open at it; a fault of requests those sent while it is on.
    """
    begin_s = experiment.timeline.warmup_s + experiment.timeline.baseline_s + fault.at_s
    if fault.spec.where == "load":
        share = fault.spec.changed_calls_share
        if share is None:
            return estimate.calls_of_fault(fault.id)
        return round(estimate.calls_in([(begin_s, begin_s + fault.for_s)]) * share)
    replicas = len(experiment.stack.replicas) if experiment.stack is not None else 1
    only, targets = fault.only, len(fault.targets)
    calls: int = 0
    for tenant in only.get("tenant") or (None,):
        if not only.get("after_requests"):  # those that came before are left alone
            calls += estimate.calls_open_at(begin_s, tenant)
        if not fault.spec.stops_process:
            calls += estimate.calls_in([(begin_s, begin_s + fault.for_s)], tenant)
    spared: int = targets * only.get("after_requests", 0)
    met = max(0.0, calls * targets / replicas - spared)
    met *= 1.0 if fault.share is None else fault.share
    most: int | None = only.get("at_most")
    return round(met if most is None else min(met, targets * most))


def _portion(experiment: Experiment, gate: Gate) -> float:
    """The portion of the calls that a gate `for pool=X` sees, with the load spread evenly over the replicas, or one
    `for tier=X`, by the tenants' shares.
    """
    stack, tenants = experiment.stack, experiment.profile.tenants
    if gate.where is not None and gate.where[0] == "tier" and tenants:
        its = sum(tenant.share for tenant in tenants if tenant.tier == gate.where[1])
        return its / sum(tenant.share for tenant in tenants)
    if stack is None or gate.where is None or gate.where[0] != "pool":
        return 1.0
    return sum(replica.pool == gate.where[1] for replica in stack.replicas) / len(stack.replicas)


def _yes(gate: Gate, samples: int, what: str) -> str:
    if gate.kind == "percentile":
        return f"yes: by the interval of the {gate.stat}"
    if gate.kind == "ratio" or gate.relative_to_baseline:
        return "yes: by its interval, drawn by session"
    worst = _most_bad(gate, samples)
    if worst is None:
        return "yes: by its interval"
    return f"yes: passes with up to about {worst} bad of {samples:,} {what}"


def _most_bad(gate: Gate, samples: int) -> int | None:
    """With how many bad ones of `samples` a gate on a rate still passes, were they independent."""
    upward, downward = gate.op in (">=", ">"), gate.op in ("<=", "<")
    if not (upward or downward):
        return None
    passing = None
    for bad in range(ceil(samples * (1 - gate.value if upward else gate.value)) + 1):
        low, high = wilson_interval(samples - bad, samples) if upward else wilson_interval(bad, samples)
        if (low >= gate.value) if upward else (high <= gate.value):
            passing = bad
    return passing
