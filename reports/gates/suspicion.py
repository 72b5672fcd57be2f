"""Which verdicts of gates a late machine may have caused. `docs/statistics.md` has the rule as a table.

The rule: a busy machine never gives "fail" to a good target, nor "pass" to a bad one.

- Where lateness is severe, it changes what happens. Nothing is decided, but for one thing: no lateness makes a gateway
  pass off half an answer as a whole one, or mix two answers.
- Where it is mild, a "pass" stands if lateness can only make the value worse and the load came on time. A "fail" stands
  if enough of the failures came from the fault itself, without an attempt anywhere else.
"""

from __future__ import annotations

from typing import Final

from reports.gates.grammar import Gate
from reports.gates.machine import MachineDoubt
from reports.gates.operators import OPERATORS
from reports.history.calls import Call
from reports.history.evidence import Evidence, Scope
from reports.measures.integrity import INTEGRITY
from reports.shared.attributes import Outcome, SessionOutcome

__all__ = ["machine_doubts_of"]

_FEWER: Final = frozenset(
    {"goodput", "slo_attainment", "knee", "session_success", "failover_rate", "calls", "calls_ok", "sessions"}
)
"""Measures that a late machine can only lower. It can only raise the others, but for those below."""

_EITHER: Final = frozenset(
    {"time_to_detect", "time_to_alert", "fairness", "retry_after_honoured", "kv_peak", "load_imbalance"}
)
"""Measures that a late machine may raise or lower: a replica may be ejected for its lateness."""

_OF_BASELINE: Final = frozenset({"goodput_lost", "time_to_recover", "overloaded", "metastable", "cold_cache_tail"})
"""Measures relative to the baseline, which a late baseline makes easier."""

_UNTOUCHED: Final = 0.99
"""Share of good calls of a baseline that lateness has not changed."""

_BROKEN: Final = frozenset(
    {Outcome.REFUSED, Outcome.RESET, Outcome.TRUNCATED, Outcome.CORRUPT, Outcome.ERROR_EVENT, Outcome.HTTP_5XX}
)
"""How a call ends that a fault broke. A timeout, a stall or a rejection may come from lateness."""


def machine_doubts_of(gate: Gate, verdict: str, evidence: Evidence, doubts: tuple[MachineDoubt, ...]) -> list[str]:
    """The doubts about the machine, as text, that make this verdict inconclusive; empty where it stands."""
    severe = [doubt.text for doubt in doubts if doubt.severe]
    if verdict == "fail" and gate.measure in INTEGRITY:
        return []
    if severe:
        return severe
    if verdict == "fail":
        if gate.spec.latency:
            return [doubt.text for doubt in doubts]
        known = [doubt.text for doubt in doubts if doubt.concern in ("load", "lateness")]
        return [] if not known or _broken_by_faults(gate, evidence) else known
    if verdict == "pass" and _only_worse(gate, evidence):
        stands = ("lateness",) if gate.spec.latency else ("lateness", "client", "unknown")
        return [doubt.text for doubt in doubts if doubt.concern not in stands]
    if not gate.spec.latency:
        return [doubt.text for doubt in doubts if doubt.concern in ("load", "lateness")] if verdict == "pass" else []
    return [doubt.text for doubt in doubts]


def _only_worse(gate: Gate, evidence: Evidence) -> bool:
    """Whether lateness makes the gate harder to pass. Relative to the baseline it may make it easier."""
    if gate.relative_to_baseline or gate.measure in _EITHER:
        return False
    if gate.measure in _OF_BASELINE and not _baseline_untouched(evidence):
        return False
    limit = OPERATORS[gate.op].limit
    if gate.measure in _FEWER:
        return limit == "minimum"
    return limit == "maximum" or (limit == "equal" and gate.value == 0)


def _baseline_untouched(evidence: Evidence) -> bool:
    baseline = evidence.slo_mask(Scope("baseline"))
    return bool(baseline.any()) and float(evidence.columns.good[baseline].mean()) >= _UNTOUCHED


def _broken_by_faults(gate: Gate, evidence: Evidence) -> bool:
    """Whether the failures that faults caused by themselves are enough to fail a gate on the number of failures."""
    if gate.relative_to_baseline or gate.kind != "fact" or OPERATORS[gate.op].limit not in ("maximum", "equal"):
        return False
    broken = _broken_calls(evidence)
    if gate.measure == "calls_failed":
        inside = evidence.mask(Scope(gate.phase, gate.where))
        count = sum(id(call) in broken and bool(inside[n]) for n, call in enumerate(evidence.calls.calls))
    elif gate.measure == "sessions_lost":
        sessions = evidence.sessions(Scope(gate.phase, gate.where))
        lost = [session for session in sessions if session.outcome == SessionOutcome.LOST]
        count = sum(session.lost_by is not None and id(session.lost_by) in broken for session in lost)
    else:
        return False
    return count > 0 and not OPERATORS[gate.op].holds(count, gate.value) and count > gate.value


def _broken_calls(evidence: Evidence) -> set[int]:
    """The calls (by `id`) that a fault on their replica ended, and that were attempted nowhere else."""
    found: set[int] = set()
    for impact in evidence.impacts:
        targets = set(impact.fault.targets)
        if impact.on_replicas:
            met = (encounter.call for encounter in impact.encounters if not encounter.saved)
            found |= {id(call) for call in met if _ended_there(call, targets)}
    return found


def _ended_there(call: Call, targets: set[str]) -> bool:
    attempted = {attempt.replica for attempt in call.attempts} or {r.replica for r in call.replica_requests}
    return call.outcome in _BROKEN and bool(attempted) and attempted <= targets
