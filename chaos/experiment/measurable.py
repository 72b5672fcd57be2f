"""Gates on what this experiment cannot measure: a phase, a tenant or a kind of load or fault that it does not have.

Only what is certain before the run. Whether there will be enough samples is a matter of the plan (`chaos.cli.plan`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chaos.experiment.draft import Draft, occurring
from chaos.faults.load.retry_storm import RetryStorm
from loadprofiles.demand import Order, demand_of
from reports.gates.grammar import Gate
from reports.shared.document import Where
from reports.shared.documents import did_you_mean, duration_text
from reports.shared.errors import Problem
from reports.shared.thresholds import WINDOW_S

__all__ = ["check_measurable"]

_FEWEST_TENANTS: Final = 2
_OF_REPLICA_FAULTS: Final = ("failover", "time_to_detect", "time_to_readmit")
_OF_KNOWN_CALLS: Final = ("failover_rate", "blast_radius")
"""Measures of the calls that met a fault: not known of a command on the user's system."""
_OF_ALERTS: Final = ("time_to_alert", "false_alerts")
_OF_SEVERAL_CHUNKS: Final = ("itl", "max_gap")
_RISE: Final = 1.01
"""The load rises where its rate is this many times an earlier one."""

Wrong = tuple[str, str]
"""What is wrong, and what would be right."""


def check_measurable(made: Draft, path: Where, gate: Gate) -> Iterator[Problem]:
    """What keeps the measure of a gate from having a value in any run of this experiment."""
    for check in (_phase, _spans, _scope, _faults, _alerts, _windows, _load, _prices):
        for what, remedy in check(made, gate):
            yield made.document.problem(path, what, remedy)


# -- when and where -------------------------------------------------------------------------------------------------
def _phase(made: Draft, gate: Gate) -> Iterator[Wrong]:
    lengths = {"warmup": made.warmup_s, "recovery": made.recovery_s, "drain": made.drain_s}
    if (gate.spec.about_fault or gate.phase == "fault") and not made.faults:
        yield f"{gate.name} is about a fault, and the timeline has none", "add a fault, or remove the gate"
    elif gate.phase == "recovery" and not made.faults:
        yield "the gate is about the recovery, and a run without faults has none", "add a fault, or name the baseline"
    elif gate.phase is not None and lengths.get(gate.phase) == 0:
        yield f"the gate is about the {gate.phase}, which lasts 0 s", f"give {gate.phase}: a length"
    elif gate.phase == "drain" and (gate.spec.of_starts or gate.stat == "per_1k_sessions"):
        yield f"{gate.name} is about sessions that start in the drain, and none does", "name another phase"


def _spans(made: Draft, gate: Gate) -> Iterator[Wrong]:
    needed = set(gate.spec.sources)
    if gate.spec.from_replicas and "replica" in made.sources:
        needed -= {"gateway"}
    missing = sorted(needed - made.sources)
    if missing:
        what = f"{gate.measure} needs the spans of the {' and the '.join(missing)}, and this target records none"
        yield what, "remove the gate, or name a stack"


def _scope(made: Draft, gate: Gate) -> Iterator[Wrong]:
    if gate.where is None:
        return
    key, value = gate.where
    if key == "pool" and not made.own_replicas:
        yield "this target has no pools", f"remove for pool={value}, or name a stack"
    elif key == "pool" and made.stack is not None:
        pools = [pool.name for pool in made.stack.pools]
        if value not in pools:
            yield f'the stack {made.stack.name} has no pool "{value}"', did_you_mean(value, pools)
    elif key in ("tenant", "tier") and made.profile is not None:
        known = sorted({tenant.name if key == "tenant" else tenant.tier for tenant in made.tenants} - {""})
        if value not in known:
            whose = "sessions of a trace" if made.replayed else f"profile {made.profile.name}"
            has = "have" if made.replayed else "has"
            remedy = f"remove for {key}={value}" + ("" if made.replayed else f", or give the profile {key}s")
            yield f'the {whose} {has} no {key} "{value}"', did_you_mean(value, known) if known else remedy


# -- what happens ---------------------------------------------------------------------------------------------------
def _faults(made: Draft, gate: Gate) -> Iterator[Wrong]:
    if not made.specs or len(made.specs) < len(made.faults):
        return
    if gate.measure in _OF_KNOWN_CALLS:
        unknown = [spec for spec in made.specs if not spec.traits().hits_are_known]
        if len(unknown) == len(made.specs) or (unknown and gate.measure == "blast_radius"):
            kinds = " and ".join(dict.fromkeys(spec.kind for spec in unknown))
            what = f"{gate.name} is about the calls that met the faults, and of {kinds} nobody knows them"
            yield what, "remove the gate, or gate on what all clients saw, as session_success"
    if gate.measure not in _OF_REPLICA_FAULTS:
        return
    if not any(spec.traits().on_replicas for spec in made.specs):
        kinds = " and ".join(dict.fromkeys(spec.kind for spec in made.specs))
        yield f"{gate.name} is about faults of replicas, and {kinds} is none", "remove the gate, or add such a fault"


def _alerts(made: Draft, gate: Gate) -> Iterator[Wrong]:
    if gate.measure in _OF_ALERTS and "alerts" not in made.document.data:
        yield f"{gate.name} is about alerts, and this experiment receives none", "add alerts: {port: 9099}"


def _windows(made: Draft, gate: Gate) -> Iterator[Wrong]:
    recovery_s = made.recovery_s
    if not made.faults or recovery_s is None:
        return
    if gate.measure == "time_to_recover" and recovery_s < WINDOW_S:
        what = f"time_to_recover looks at windows of {WINDOW_S:g} s, and the recovery lasts {recovery_s:g} s"
        yield what, "make recovery: longer"
    if gate.measure in ("metastable", "overloaded") and made.profile is not None:
        timeouts = [spec.params().get("timeout_s") for spec in made.specs if spec.where == "load"]
        longest_s = max([made.profile.client.timeout_s, *(given for given in timeouts if given is not None)])
        if recovery_s < longest_s + WINDOW_S:
            what = (
                f"{gate.measure} is judged from one client timeout ({duration_text(longest_s)}) after the last fault "
                f"on, and the recovery ends after {duration_text(recovery_s)}"
            )
            least = duration_text(longest_s + WINDOW_S)
            yield what, f"make recovery: at least {least}, or give the profile a shorter client timeout"


def _load(made: Draft, gate: Gate) -> Iterator[Wrong]:
    profile = made.profile
    if profile is None:
        return
    if gate.measure == "fairness" and len(made.tenants) < _FEWEST_TENANTS:
        whose = "a replayed trace" if made.replayed else f"the profile {profile.name}"
        what = f"fairness compares tenants, and {whose} has {len(made.tenants) or 'none'}"
        yield what, "remove the gate, or name a profile with two tenants or more"
    if gate.measure == "knee" and not made.replayed and _rises(made, gate) is False:
        what = f"{gate.name} needs a load that rises, and that of the profile {profile.name} does not rise there"
        yield what, "give the profile arrivals: that rise, as a ramp, add a surge, or gate on slo_attainment"
    retries = {profile.client.retries} | {"aggressive" for spec in made.specs if isinstance(spec, RetryStorm)}
    if gate.measure == "retry_after_honoured" and retries == {"none"}:
        what = f"retry_after_honoured is about retries, and the clients of the profile {profile.name} make none"
        yield what, "remove the gate, or give the profile a client that retries"
    if gate.measure in _OF_SEVERAL_CHUNKS and not profile.client.stream and not made.replayed:
        what = f"{gate.name} is about the chunks of a stream, and the profile {profile.name} does not stream"
        yield what, "remove the gate, or write client: {stream: true} in the profile"


def _prices(made: Draft, gate: Gate) -> Iterator[Wrong]:
    if not (gate.measure == "cost" or gate.own_unit == "USD"):
        return
    if not made.own_replicas:
        yield f"{gate.name} needs the prices of a stack, and a url has none", "remove the gate, or name a stack"
    elif made.stack is not None:
        pool = gate.where[1] if gate.where is not None and gate.where[0] == "pool" else None
        of_scope = [one.usd_per_hour for one in made.stack.pools if pool in (None, one.name)]
        if of_scope and not any(of_scope):
            yield f"{gate.name} needs prices, and the stack {made.stack.name} has none", "give its pools usd_per_hour:"
    if gate.stat == "per_1k_sessions" and gate.where is not None:
        yield "sessions are not assigned to one pool", f"remove for pool={gate.where[1]}"


def _rises(made: Draft, gate: Gate) -> bool | None:
    """Whether sessions arrive faster later than earlier in the phases of a gate; None: not known."""
    if made.profile is None or made.load_s is None or made.warmup_s is None or made.baseline_s is None:
        return None
    base_s, end_s = made.warmup_s + made.baseline_s, made.load_s
    times = [time for fault in made.faults for time in occurring(made, fault)]
    first_s = min((base_s + time.at_s for time in times), default=base_s)
    last_s = max((base_s + time.ends_s for time in times), default=base_s)
    windows = {"warmup": (0.0, made.warmup_s), "baseline": (made.warmup_s, first_s), "fault": (first_s, last_s)}
    windows |= {"recovery": (last_s, end_s)}
    begin_s, until_s = windows.get(gate.phase or "", (made.warmup_s, end_s))
    for time in times:
        begins_inside = begin_s < base_s + time.at_s < until_s
        if begins_inside and time.spec.where == "load":
            demand = demand_of(Order(time.id, time.spec.kind, time.spec.params()))
            if demand.extra_sessions(made.profile) is not None:
                return True
    curve = made.profile.arrivals.curve()
    rates = [curve.rate(begin_s + (until_s - begin_s) * step / 1000) for step in range(1000)]
    least = rates[0]
    for rate in rates:
        if rate > least * _RISE:
            return True
        least = min(least, rate)
    return False
