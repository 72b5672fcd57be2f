"""The plan of an experiment: the load that it will offer, and whether that is enough to decide each gate.

Any run decides a gate on a fact. For the others, the plan has the best interval that the load can give
(`reports.gates.decidability`, `docs/statistics.md`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from chaos.experiment.load_estimate import LoadEstimate, PlannedDemand, Window, estimate_load
from chaos.experiment.model import Experiment, PlannedFault
from chaos.experiment.timeline import phases
from loadprofiles.demand import Order
from reports.gates.decidability import Decidability, decidability
from reports.gates.grammar import Gate, samples_needed
from reports.history.statistics import MIN_SESSIONS, FloatArray
from reports.measures.integrity import OF_VERIFIED_TOKENS
from reports.shared.wording import ends_text

__all__ = ["GatePlan", "Plan", "estimated", "make_plan"]


@dataclass(frozen=True, slots=True)
class GatePlan:
    """What the plan gives a gate.

    `reason`: whether it can be decided, and why. `samples`: how many `what` it will get; None for a fact, which needs
    none. `needed`: how many independent ones it needs. `decidability`: the best interval that they can give.
    `enough`: a run can decide it. `room`: also with 1 % of bad calls.
    """

    gate: Gate
    reason: str
    samples: int | None = None
    what: str = ""
    needed: int | None = None
    decidability: Decidability | None = None
    enough: bool = True
    room: bool = True


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
    return estimate_load(
        experiment.profile, experiment.trace, experiment.seed, experiment.load_s, demands, experiment.scale
    )


def _gate_plan(experiment: Experiment, estimate: LoadEstimate, gate: Gate) -> GatePlan:
    if experiment.stack is None and gate.name.partition(".")[0] in OF_VERIFIED_TOKENS:
        return GatePlan(gate, "only if the target's tokens can be verified: not a real model's", enough=False)
    if gate.kind == "fact" and not gate.relative_to_baseline:
        return GatePlan(gate, "yes: a fact of the run, exact")
    if gate.spec.samples == "attempts after the pause":
        return GatePlan(gate, "unknown: it depends on how many calls get a retry-after and come back")
    planned = phases(experiment, earliest=True)
    needs = samples_needed(gate)
    what = needs.what if needs is not None else gate.spec.samples or "calls"
    before = None
    if gate.relative_to_baseline or gate.measure == "goodput_lost":
        before = _offered(experiment, estimate, gate, what, _windows(planned, ("baseline",)))
    names = gate.phases if gate.spec.phased else ("fault", "recovery")
    offered = _offered(experiment, estimate, gate, what, _windows(planned, names))
    samples = [int(round(float(offered.sum()), 6))]
    if before is not None:
        samples.append(int(round(float(before.sum()), 6)))
    found = GatePlan(gate, "", min(samples), what, None if needs is None else needs.count)
    where = "in the baseline " if samples[-1] < samples[0] else ""
    if min(samples) == 0:
        return replace(found, reason=f"no: about 0 {what} {where}are too few", enough=False)
    if gate.kind in ("ratio", "fact"):
        drawn = min(int(np.count_nonzero(counts)) for counts in (offered, before) if counts is not None)
        if drawn < MIN_SESSIONS and gate.kind == "ratio":
            reason = f"no: an interval needs {MIN_SESSIONS} sessions, and about {drawn} {where}are planned"
            return replace(found, reason=reason, enough=False)
    found_out = decidability(gate, offered, before)
    reason = _reason(gate, found_out, found, where)
    return replace(found, reason=reason, decidability=found_out, enough=found_out.decidable, room=found_out.room)


def _reason(gate: Gate, reached: Decidability, found: GatePlan, where: str) -> str:
    """Whether the gate can be decided, with the best interval that it can get."""
    unit = gate.unit
    if gate.kind == "percentile":
        if not reached.decidable:
            counted = f"count as {reached.effective:,.0f} at best" if reached.effective < (found.samples or 0) else ""
            verb = counted or "are too few"
            return f"no: about {found.samples:,} {found.what} {where}{verb}; a {gate.stat} needs {found.needed}"
        return "yes" if reached.room else "yes, but not if a session has two slow calls: more sessions are needed"
    if reached.best is None or reached.with_bad is None:
        return "not known before the run: by its interval, drawn by session"
    best, worse = ends_text(reached.best, unit), ends_text(reached.with_bad, unit)
    if not reached.decidable:
        return f"no: at best {best}"
    if not reached.room:
        return f"yes, at best {best}, but not with 1% of bad {found.what}: {worse}"
    return f"yes: at best {best}; with 1% of bad {found.what} {worse}"


def _offered(
    experiment: Experiment, estimate: LoadEstimate, gate: Gate, what: str, windows: list[Window]
) -> FloatArray:
    """The samples that the plan gives the gate in these windows, of each session."""
    if what in ("interrupted calls", "calls that met the fault"):
        faults = [fault for fault in experiment.faults if fault.spec.traits().hits_are_known]
        faults = [fault for fault in faults if what != "interrupted calls" or fault.spec.where != "load"]
        return np.ones(sum(_met(experiment, estimate, fault) for fault in faults))
    tenants = _tenants(experiment, gate)
    if what == "sessions":
        return np.ones(
            sum(estimate.sessions_in(windows, tenant) for tenant in ((None,) if tenants is None else tenants))
        )
    if tenants is not None and all(session.tenant is None for session in estimate.sessions):
        tenants = None  # the load names no tenants: their shares are all that is known
    counts = np.array(estimate.calls_by_session(windows, tenants), dtype=np.float64)
    return counts * (_portion(experiment, gate) if tenants is None else 1.0)


def _tenants(experiment: Experiment, gate: Gate) -> tuple[str, ...] | None:
    """The tenants that a gate with `for` includes; None: all calls."""
    if gate.where is None or gate.where[0] not in ("tenant", "tier"):
        return None
    key, value = gate.where
    return tuple(t.name for t in experiment.profile.tenants if value == (t.name if key == "tenant" else t.tier))


def _windows(planned: dict[str, Window], names: Iterable[str]) -> list[Window]:
    return [planned[name] for name in names if name in planned]


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

    `for pool=X`: by the number of replicas, if the load is spread evenly. Else by the tenants' shares.
    """
    stack, own = experiment.stack, _tenants(experiment, gate)
    if own is not None:
        return sum(experiment.profile.tenant_share(name) for name in own)
    if stack is None or gate.where is None or gate.where[0] != "pool":
        return 1.0
    return sum(replica.pool == gate.where[1] for replica in stack.replicas) / len(stack.replicas)
