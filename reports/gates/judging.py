"""Judges gates. A gate passes when its whole interval satisfies it, fails when its whole interval violates it, and is
inconclusive otherwise.

It is also inconclusive, with the reason as text, without load, with too few samples, a fault that hit nothing, lost
spans, an overloaded machine, or a run that ended early. A check that crashes is inconclusive, with its traceback.
"""

from __future__ import annotations

import math
import traceback
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from reports.gates.grammar import Gate, samples_needed
from reports.gates.offered_load import no_load_for
from reports.gates.operators import OPERATORS
from reports.gates.suspicion import machine_doubts_of
from reports.gates.validity import Proofs
from reports.history.evidence import Evidence, Scope
from reports.history.intervals import bootstrap_interval, quotient_interval
from reports.history.statistics import MIN_SESSIONS, FloatArray
from reports.measures.measurement import Interval, Measurement, not_measured
from reports.measures.registry import MEASURES
from reports.measures.spec import MeasureSpec
from reports.shared.attributes import SessionOutcome
from reports.shared.phases import GATE_PHASES
from reports.shared.wording import ends_text, number_text, value_text

__all__ = ["GateResult", "GateVerdict", "judge", "measure"]

GateVerdict = Literal["pass", "fail", "inconclusive"]

UNFINISHED_LIMIT: Final = 0.02
"""With a larger share of unfinished sessions, gates about sessions are inconclusive."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """The result of a gate. `verdict` is after, `judged` before `on_inconclusive` is applied.

    `effective_samples`: as how many independent ones the samples count; None where the interval does not rest on it.
    `value`: of the measure, in its unit (None: not measured). `baseline`: the value that it is compared with. `factor`:
    their quotient. `interval`: of the compared quantity. `why`: a sentence.
    """

    gate: Gate
    verdict: GateVerdict
    judged: GateVerdict
    value: float | None
    baseline: float | None
    factor: float | None
    interval: Interval | None
    samples: int
    samples_needed: int | None
    sessions: int
    why: str
    traceback: str = ""
    effective_samples: float | None = None


def measure(evidence: Evidence, name: str, scope: Scope, stat: str) -> Measurement:
    """The value of a measure for a run. Raises what the measure raises."""
    if not any(phase.name in scope.phases for phase in evidence.record.phases):
        return not_measured(f"this run has no phase {' or '.join(scope.phases)}")
    return MEASURES[name](evidence, scope, stat)


def judge(gate: Gate, evidence: Evidence, proofs: Proofs) -> GateResult:
    """Judge one gate. Never raises."""
    try:
        result = _judge(gate, evidence, proofs)
    except Exception as error:
        result = _result(
            gate, "inconclusive", not_measured(""), f"the check crashed: {error!r}", traceback=traceback.format_exc()
        )
    if result.judged != "inconclusive" or gate.on_inconclusive is None:
        return result
    why = f"{result.why} (on_inconclusive: {gate.on_inconclusive})"
    return replace(result, verdict=gate.on_inconclusive, why=why)


def _result(
    gate: Gate,
    verdict: GateVerdict,
    found: Measurement,
    why: str,
    *,
    baseline: float | None = None,
    factor: float | None = None,
    interval: Interval | None = None,
    traceback: str = "",
) -> GateResult:
    needed = samples_needed(gate)
    return GateResult(
        gate,
        verdict,
        verdict,
        found.value,
        baseline,
        factor,
        interval,
        found.samples,
        None if needed is None else needed.count,
        found.sessions,
        why,
        traceback,
        found.effective or None,
    )


def _judge(gate: Gate, evidence: Evidence, proofs: Proofs) -> GateResult:
    found = measure(evidence, gate.measure, Scope(gate.phase, gate.where), gate.stat)
    missing = no_load_for(gate, evidence)
    if found.value is None:
        return _result(gate, "inconclusive", found, f"not measured: {missing or found.why_not}")
    if missing:
        return _result(gate, "inconclusive", found, missing)
    if gate.relative_to_baseline:
        return _relative(gate, evidence, proofs, found)
    interval = found.interval() if found.interval is not None else None
    verdict = _verdict(gate, found.value, interval)
    doubts = _doubts(gate, evidence, proofs, found, verdict)
    why = _reason(gate, found.value, interval, verdict, found)
    if doubts:
        return _result(gate, "inconclusive", found, f"{why}; but {'; '.join(doubts)}", interval=interval)
    return _result(gate, verdict, found, why, interval=interval)


def _relative(gate: Gate, evidence: Evidence, proofs: Proofs, found: Measurement) -> GateResult:
    assert found.value is not None
    base = measure(evidence, gate.measure, Scope("baseline", gate.where), gate.stat)
    if base.value is None:
        return _result(gate, "inconclusive", found, f"its baseline was not measured: {base.why_not}")
    if base.value == 0 or math.isinf(base.value):
        why = f"the baseline's value is {value_text(base.value, gate.own_unit)}: no factor can be computed"
        return _result(gate, "inconclusive", found, why, baseline=base.value)
    if gate.kind == "fact" and (found.interval is not None or base.interval is not None):
        why = f"{(found if found.interval is not None else base).note}: no factor can be computed"
        return _result(gate, "inconclusive", found, why, baseline=base.value)
    factor = found.value / base.value
    interval = _quotient_interval(gate, found, base) if gate.kind != "fact" else None
    verdict = _verdict(gate, factor, interval)
    why = (
        f"{value_text(found.value, gate.own_unit)} is {_reason(gate, factor, interval, verdict, found)}"
        f" (baseline {value_text(base.value, gate.own_unit)})"
    )
    doubts = _doubts(gate, evidence, proofs, found, verdict) + [
        f"the baseline: {doubt}" for doubt in _sample_doubts(gate, base)
    ]
    if doubts:
        why, verdict = f"{why}; but {'; '.join(dict.fromkeys(doubts))}", "inconclusive"
    return _result(gate, verdict, found, why, baseline=base.value, factor=factor, interval=interval)


def _quotient_interval(gate: Gate, found: Measurement, base: Measurement) -> Interval | None:
    """The interval of found / base: of a ratio by joint resamples; else, or with rare events, from their intervals."""
    if found.interval is None or base.interval is None or found.value is None or not base.value:
        return None
    joint = None
    if gate.kind == "ratio" and found.resamples is not None and base.resamples is not None:
        quotients = _quotients(found.resamples(), base.resamples())
        joint = bootstrap_interval(quotients, min(found.sessions, base.sessions) - 1)
        if not (found.rare or base.rare):
            return joint
    low, high = quotient_interval(found.value, found.interval(), base.value, base.interval())
    return (low, high) if joint is None else (min(low, joint[0]), max(high, joint[1]))


def _quotients(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    quotient = np.full(numerator.size, np.nan)
    valid = (denominator > 0) & np.isfinite(denominator) & ~np.isnan(numerator)
    np.divide(numerator, denominator, out=quotient, where=valid)
    return quotient


def _verdict(gate: Gate, value: float, interval: Interval | None) -> GateVerdict:
    compare, bound = OPERATORS[gate.op], gate.value
    holds = compare.holds
    if interval is None:
        return "pass" if holds(value, bound) else "fail"
    low, high = interval
    if compare.limit in ("equal", "unequal"):
        if low == high:
            return "pass" if holds(low, bound) else "fail"
        outside = bound < low or bound > high
        return "inconclusive" if not outside else "fail" if compare.limit == "equal" else "pass"
    both = holds(low, bound), holds(high, bound)
    return "pass" if all(both) else "inconclusive" if any(both) else "fail"


def _reason(gate: Gate, value: float, interval: Interval | None, verdict: GateVerdict, found: Measurement) -> str:
    unit = gate.unit
    text = value_text(value, unit) + (" baseline" if gate.relative_to_baseline else "")
    bound = value_text(gate.value, unit)
    if found.note:
        text += f" ({found.note})"
    elif interval is not None:
        text += f" (95%: {ends_text(interval, unit)})"
    match verdict:
        case "pass":
            return f"{text}, as required ({gate.op} {bound})"
        case "fail":
            return f"{text}, not {gate.op} {bound}"
    if found.note:
        return f"{text}; {gate.op} {bound} is undecided"
    return f"{text}, on both sides of {bound}: {_too_few(gate, found)}"


def _too_few(gate: Gate, found: Measurement) -> str:
    """How many samples there were, and as how many independent ones they count."""
    text = f"{number_text(found.samples)} {gate.spec.samples}"
    if found.effective and found.sessions and found.samples > found.effective + 0.5:
        counted = f"count as {number_text(max(1, round(found.effective)))}"
        text += (
            f" of {number_text(found.sessions)} sessions {counted}, because calls of a session depend on each other:"
        )
    else:
        text += " are"
    needed = samples_needed(gate) if gate.kind == "percentile" else None
    more = f" (a {gate.stat} needs {needed.count})" if needed is not None and found.effective < needed.count else ""
    return f"{text} too few to decide{more}"


def _doubts(gate: Gate, evidence: Evidence, proofs: Proofs, found: Measurement, verdict: GateVerdict) -> list[str]:
    """Why the measured value is not sufficient for a verdict; empty where it is."""
    spec = gate.spec
    doubts = [*_sample_doubts(gate, found), *proofs.upstream_doubts]
    if changed := evidence.record.changed_by_hand:
        doubts.append(f"the run was changed by hand ({changed})")
    about_fault = spec.about_fault or any(phase in gate.phases for phase in ("fault", "recovery"))
    if about_fault:
        doubts += proofs.fault_doubts
    doubts += machine_doubts_of(gate, verdict, evidence, proofs.machine_doubts)
    if verdict == "fail" and _stays_failed(gate, found):
        return doubts
    for source in spec.sources:
        doubts += proofs.source_doubts.get(source, ())
    if spec.sessions:
        doubts += _unfinished(gate, evidence)
    doubts += _cut_short(gate, evidence, spec)
    return doubts


def _stays_failed(gate: Gate, found: Measurement) -> bool:
    """Whether a count is above its limit: missing data can only add to it."""
    if gate.kind != "fact" or gate.own_unit != "count" or found.value is None:
        return False
    limit = OPERATORS[gate.op].limit
    return limit == "maximum" or (limit == "equal" and (gate.relative_to_baseline or found.value > gate.value))


def _sample_doubts(gate: Gate, found: Measurement) -> list[str]:
    if gate.kind == "ratio" and found.sessions < MIN_SESSIONS:
        return [f"its samples belong to {found.sessions} sessions: an interval needs {MIN_SESSIONS}"]
    return []


def _unfinished(gate: Gate, evidence: Evidence) -> list[str]:
    sessions = evidence.sessions(Scope(gate.phase, gate.where))
    running = sum(session.outcome == SessionOutcome.UNFINISHED for session in sessions)
    if sessions and running / len(sessions) > UNFINISHED_LIMIT:
        share, limit = running / len(sessions), UNFINISHED_LIMIT
        return [f"{running} of {len(sessions)} sessions were still running at the end ({share:.1%}, limit {limit:.0%})"]
    return []


def _cut_short(gate: Gate, evidence: Evidence, spec: MeasureSpec) -> list[str]:
    """The phases that the gate is about and that the run did not finish, as text."""
    record = evidence.record
    if not record.cut_short:
        return []
    wanted = gate.phases if spec.phased else GATE_PHASES
    missing = [name for name in wanted if _planned(name, evidence) and not record.finished(name)]
    return [] if not missing else [f"the run ended before the end of its {' and '.join(missing)}"]


def _planned(phase: str, evidence: Evidence) -> bool:
    if phase not in ("fault", "recovery"):
        return True
    timeline = evidence.record.experiment.get("timeline")
    return bool(evidence.record.faults or (isinstance(timeline, dict) and timeline.get("faults")))
