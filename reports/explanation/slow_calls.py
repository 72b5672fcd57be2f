"""Calls that ended well and too late: which objective they missed, and where."""

from __future__ import annotations

from collections import Counter
from typing import Final

from reports.history.calls import Call
from reports.history.evidence import Evidence
from reports.shared.phases import GATE_PHASES
from reports.shared.wording import value_text

__all__ = ["slow_calls_text"]

_OBJECTIVES: Final = {
    "ttft": "waited too long for the first token",
    "tpot": "got tokens too slowly",
    "e2e": "took too long",
    "max_gap": "had too long a pause",
}


def slow_calls_text(evidence: Evidence) -> str:
    """Which objective most slow calls missed, in which phase and pool; "" without slow calls."""
    slo = evidence.record.slo
    missed: Counter[str] = Counter()
    phases: dict[str, Counter[str]] = {}
    pools: dict[str, Counter[str]] = {}
    for call in evidence.calls.calls:
        name = _missed(call, slo) if call.ok and not call.good and call.slo_phase in GATE_PHASES else ""
        if name:
            missed[name] += 1
            phases.setdefault(name, Counter())[call.slo_phase] += 1
            pools.setdefault(name, Counter())[call.pool] += 1
    if not missed:
        return ""
    name, count = missed.most_common(1)[0]
    phase, in_phase = phases[name].most_common(1)[0]
    pool, on_pool = pools[name].most_common(1)[0]
    bound = value_text(slo[name], "s")
    text = f"{count:,} {'call' if count == 1 else 'calls'} {_OBJECTIVES.get(name, 'missed ' + name)} (over {bound})"
    text += f", {in_phase:,} of them in the {phase} phase" if in_phase < count else f", in the {phase} phase"
    if pool and 2 * on_pool > count:
        text += f", {'all' if on_pool == count else f'{on_pool:,}'} on the pool {pool}"
    return text


def _missed(call: Call, slo: dict[str, float]) -> str:
    values = {"ttft": call.ttft_s, "tpot": call.tpot_s, "e2e": call.e2e_s, "max_gap": call.max_gap_s}
    over = {name: values[name] / bound for name, bound in slo.items() if values.get(name, 0.0) > bound > 0}
    return max(over, key=lambda name: over[name], default="")
