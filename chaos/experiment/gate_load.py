"""Gates and guardrails that the planned load cannot reach: no session or call there, or a limit far above all of them.

The plan is an estimate, so these are warnings, and only where it would have to be wrong by more than a factor of 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chaos.experiment.guardrails import COMPARISONS, Guardrail
from chaos.experiment.load_estimate import LoadEstimate, Window
from chaos.experiment.model import Experiment
from chaos.experiment.timeline import phases
from reports.gates.grammar import Gate
from reports.gates.reach import reach
from reports.measures.value_range import ValueRange

__all__ = ["unreached_gates", "unreached_guardrails"]

_SLACK: Final = 2
_PARTS_OF_THE_LOAD: Final = frozenset(
    ("sessions", "sessions_lost", "unfinished", "calls", "calls_ok", "calls_failed", "shed")
)
"""Counts of sessions or calls: not more than there are."""


def unreached_gates(experiment: Experiment, estimate: LoadEstimate) -> Iterator[tuple[Gate, str]]:
    """Gates on facts that the load leaves without a sample, or whose value it cannot reach; each with the reason.

    Gates on estimates say themselves how many samples they get.
    """
    planned = phases(experiment, earliest=True)
    for gate in (*experiment.steady_state, *experiment.gates):
        counts = gate.kind == "fact" and gate.own_unit == "count"
        if gate.relative_to_baseline or not gate.spec.phased or not (counts or gate.stat == "max"):
            continue
        if gate.phase is not None and gate.phase not in planned:
            continue  # nothing says how long a restart without grace and cold start takes
        what = "sessions" if gate.spec.of_starts else "calls"
        number = _planned(experiment, estimate, gate, [planned[name] for name in gate.phases if name in planned])
        if number == 0:
            yield gate, f"the plan has no {what} there, so that no run can decide the gate"
        elif gate.measure in _PARTS_OF_THE_LOAD:
            found = reach(gate, ValueRange(0, _SLACK * number, step=1))
            if not (found.can_pass and found.can_fail):
                never = "fail" if found.can_pass else "pass"
                yield gate, f"it can hardly ever {never}: the plan has about {number:,} {what} there"


def unreached_guardrails(experiment: Experiment, estimate: LoadEstimate) -> Iterator[tuple[Guardrail, str]]:
    """Guardrails on a count that is far above all that the load has; each with the reason."""
    for guardrail in experiment.guardrails:
        sessions = guardrail.measure == "sessions_lost"
        if not sessions and guardrail.measure != "calls_failed":
            continue
        number = len(estimate.sessions) if sessions else sum(len(session.calls) for session in estimate.sessions)
        compare = COMPARISONS[guardrail.op]
        if not any(compare(value, guardrail.value) for value in (0, _SLACK * number)):
            what = "sessions" if sessions else "calls"
            yield guardrail, f"it can hardly ever stop a run: the plan has about {number:,} {what}"


def _planned(experiment: Experiment, estimate: LoadEstimate, gate: Gate, windows: list[Window]) -> int:
    """The sessions or calls that a gate is about; of a pool, those of all pools."""
    key, value = gate.where or ("", "")
    tenants: list[str | None] = [None]
    if key == "tenant":
        tenants = [value]
    elif key == "tier":
        tenants = [tenant.name for tenant in experiment.profile.tenants if tenant.tier == value]
    count = estimate.sessions_in if gate.spec.of_starts else estimate.calls_in
    return sum(count(windows, tenant) for tenant in tenants)
