"""Whether a run, or the part of it that a gate is about, had any load: without load nothing can be decided.

"0 sessions lost" of 0 sessions is true and says nothing, so such a gate is inconclusive, and so is such a run.
"""

from __future__ import annotations

from typing import Final

from reports.gates.grammar import Gate
from reports.history.evidence import Evidence, Scope

__all__ = ["no_load", "no_load_for"]

_COUNT_THE_LOAD: Final = ("calls", "sessions")
"""Their value says by itself that a part of the run had no load."""


def no_load(evidence: Evidence) -> str:
    """Why the run had no load: no session, or no call of any session; "" where it had both."""
    if not evidence.calls.sessions:
        return "no session was started in this run"
    return "" if evidence.calls.calls else "no call was made in this run"


def no_load_for(gate: Gate, evidence: Evidence) -> str:
    """Why the part of the run that `gate` is about had no load; "" where it had.

    A part is the phases of the gate and its tenant or tier. Its pool does not count: no call on a pool is a result of
    the routing. Only counts are checked: measures of another kind are not measured without samples.
    """
    missing = no_load(evidence)
    if missing or gate.kind != "fact" or gate.own_unit != "count":
        return missing
    if not gate.spec.phased or gate.measure in _COUNT_THE_LOAD:
        return ""
    where = gate.where if gate.where is not None and gate.where[0] != "pool" else None
    scope = Scope(gate.phase, where)
    if gate.spec.sessions and not evidence.sessions(scope):
        what = "no session was started"
    elif not evidence.mask(scope).any():
        what = "no call was made"
    else:
        return ""
    place = f" in the {gate.phase} phase" if gate.phase else f" in {', '.join(scope.phases)}"
    return what + place + (f" for {where[0]}={where[1]}" if where else "")
