"""The plan of an experiment: the load that it will offer, and whether that is enough to decide each gate.

Any run decides a gate on a fact. A gate on a percentile needs as many samples as its interval needs; one on a rate,
as many as make Wilson's bound reachable; percentiles and ratios need enough sessions to resample (`docs/measures.md`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from chaos.experiment.load_estimate import LoadEstimate, PlannedDemand, Window, estimate_load
from chaos.experiment.model import Experiment, PlannedFault
from chaos.experiment.timeline import phases
from loadprofiles.demand import Order
from reports.gates.grammar import Gate, samples_needed
from reports.gates.operators import OPERATORS
from reports.history.statistics import MIN_SESSIONS, wilson_interval
from reports.measures.integrity import OF_VERIFIED_TOKENS

__all__ = ["GatePlan", "Plan", "estimated", "make_plan"]


@dataclass(frozen=True, slots=True)
class GatePlan:
    """What the plan gives a gate.

    `samples`: how many `what` it will get; None for a fact, which needs none. `needed`: how many it needs. `enough`:
    it can be decided; `reason` says why or why not.
    """

    gate: Gate
    samples: int | None
    what: str
    needed: int | None
    enough: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of an experiment: pure data."""

    experiment: Experiment
    estimate: LoadEstimate
    gates: tuple[GatePlan, ...]

    @property
    def decidable(self) -> bool:
        """Whether every gate can be decided."""
        return all(gate.enough for gate in self.gates)


def make_plan(experiment: Experiment, estimate: LoadEstimate) -> Plan:
    """The plan of an experiment that offers this load."""
    gates = [_gate_plan(experiment, estimate, gate) for gate in (*experiment.steady_state, *experiment.gates)]
    return Plan(experiment, estimate, tuple(gates))


def estimated(experiment: Experiment) -> LoadEstimate:
    """The load that an experiment will offer, with its demand faults."""
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


def _gate_plan(experiment: Experiment, estimate: LoadEstimate, gate: Gate) -> GatePlan:
    if experiment.url is not None and gate.name.partition(".")[0] in OF_VERIFIED_TOKENS:
        return GatePlan(gate, None, "", None, False, "only if the target's tokens can be verified: not a real model's")
    if gate.kind == "fact" and not gate.relative_to_baseline:
        return GatePlan(gate, None, "", None, True, "yes: a fact of the run, exact")
    planned = phases(experiment)
    scopes = [("", _windows(planned, gate.phases))]
    if gate.relative_to_baseline:
        scopes.append(("in the baseline ", _windows(planned, ("baseline",))))
    tenant = gate.where[1] if gate.where is not None and gate.where[0] == "tenant" else None
    portion = _portion(experiment, gate)
    if gate.spec.samples == "attempts after the pause":
        unknown = "unknown: it depends on how many calls get a retry-after and come back"
        return GatePlan(gate, None, "", None, True, unknown)
    needs = samples_needed(gate)
    what = needs.what if needs is not None else gate.spec.samples or "calls"
    samples: int | None = None
    for where, windows in scopes:
        got = int(_samples(experiment, estimate, what, windows, tenant) * portion)
        samples = got if samples is None else min(samples, got)
        if needs is not None and got < needs.count:
            reason = f"no: about {got:,} {what} {where}are too few"
            return GatePlan(gate, got, what, needs.count, False, reason)
        drawn = estimate.sessions_with_calls_in(windows, tenant)
        if portion < 1:  # a session may send few or none of its calls there
            drawn = min(drawn, int(estimate.calls_in(windows, tenant) * portion))
        if gate.kind != "rate" and drawn < MIN_SESSIONS:
            reason = f"no: an interval needs {MIN_SESSIONS} sessions, and about {drawn} {where}are planned"
            return GatePlan(gate, got, what, needs.count if needs else None, False, reason)
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
    """About how many calls will meet a fault, if the load is spread evenly over the replicas.

    A stopped replica affects the calls in flight; a fault of requests affects those sent while it is active as well.
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
        if not only.get("after_requests"):  # calls in flight at the start are not affected
            calls += estimate.calls_open_at(begin_s, tenant)
        if not fault.spec.stops_process:
            calls += estimate.calls_in([(begin_s, begin_s + fault.for_s)], tenant)
    unaffected: int = targets * only.get("after_requests", 0)
    met = max(0.0, calls * targets / replicas - unaffected)
    met *= 1.0 if fault.share is None else fault.share
    most: int | None = only.get("at_most")
    return round(met if most is None else min(met, targets * most))


def _portion(experiment: Experiment, gate: Gate) -> float:
    """The portion of the calls that a gate with `for` includes.

    `for pool=X`: by the number of replicas, if the load is spread evenly. `for tier=X`: by the tenants' shares.
    """
    stack, tenants = experiment.stack, experiment.profile.tenants
    if gate.where is not None and gate.where[0] == "tier" and tenants:
        of_tier = sum(tenant.share for tenant in tenants if tenant.tier == gate.where[1])
        return of_tier / sum(tenant.share for tenant in tenants)
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
    """The most bad samples with which a gate on a rate still passes, if the samples are independent."""
    limit = OPERATORS[gate.op].limit
    upward, downward = limit == "minimum", limit == "maximum"
    if not (upward or downward):
        return None
    passing = None
    for bad in range(ceil(samples * (1 - gate.value if upward else gate.value)) + 1):
        low, high = wilson_interval(samples - bad, samples) if upward else wilson_interval(bad, samples)
        if (low >= gate.value) if upward else (high <= gate.value):
            passing = bad
    return passing
