"""The report as one nested dict: the content of report.json. `docs/report-schema.md` documents every field.

Times are seconds since the start of the load. In memory, infinite numbers are floats; in JSON they are "never".
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from reports.explanation.failures import failure_groups
from reports.explanation.reasons import reason_of
from reports.explanation.sentence import explanation
from reports.gates.carrying import Carrying
from reports.gates.judging import GateResult, measure
from reports.gates.validity import Proofs, fault_doubts
from reports.gates.verdict import RunVerdict
from reports.history.calls import Call, Session
from reports.history.encounters import FaultImpact
from reports.history.evidence import Evidence, Scope
from reports.history.unseen import unseen_calls, unseen_limit
from reports.history.work import work_of
from reports.measures.catalogue import CATALOGUE
from reports.measures.cost import dollars_by_pool
from reports.measures.spec import MeasureSpec
from reports.measures.time_to_detect import detection
from reports.measures.time_to_readmit import readmissions
from reports.metastability.judging import Metastability
from reports.metastability.report_section import report_section
from reports.record.reader import Record
from reports.record.undo_facts import UndoFact
from reports.report.accounts import accounts
from reports.report.alerts import alerts_section
from reports.report.series import health_changes, series
from reports.shared.attributes import SessionOutcome
from reports.shared.machine import machine_text
from reports.shared.phases import PHASES
from reports.waterfall.calls import worst_failovers

__all__ = ["SCHEMA", "Report", "build", "phase_facts", "plain", "run_facts"]

SCHEMA: Final = 3
"""Version of report.json. Raised when a field changes its meaning or is removed."""

_TABLE_STATS: Final = ("p50", "p95", "p99", "max")
_LOST_LISTED: Final = 100
"""How many lost sessions are listed."""


@dataclass(frozen=True, slots=True)
class Report:
    """The report of the run in `path`. `data`: the content of report.json, with infinite numbers as floats."""

    path: Path
    data: dict[str, Any]
    verdict: RunVerdict

    @property
    def exit_code(self) -> int:
        return self.verdict.exit_code


def build(
    evidence: Evidence,
    proofs: Proofs,
    gates: list[GateResult],
    steady_state: list[GateResult],
    verdict: RunVerdict,
    metastability: Metastability,
    notes: list[str],
    undo: Mapping[str, UndoFact] | None = None,
    carried: Carrying | None = None,
) -> Report:
    """Put the parts of the report together. `undo`: by fault id, what undo.jsonl says. `carried`: see `decide`."""
    record = evidence.record
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "run": run_facts(record),
        "verdict": {"verdict": verdict.verdict, "exit_code": verdict.exit_code, "why": list(verdict.why)},
        "gates": [_gate(result) for result in gates],
        "steady_state": [_gate(result) for result in steady_state],
        "phases": phase_facts(record),
        "explanation": _explained(evidence, [*steady_state, *gates], verdict, proofs, notes, carried),
        "carrying": _carrying(carried),
        "failures": failure_groups(evidence),
        "faults": [_fault(evidence, impact, (undo or {}).get(impact.fault.id)) for impact in evidence.impacts],
        "measures": _measures(evidence),
        "alerts": alerts_section(record),
        "metastability": report_section(metastability),
        "outcomes": _outcomes(evidence),
        "sessions_lost": _lost_sessions(evidence.calls.sessions),
        "lost_in_phase": dict(Counter(s.lost_phase for s in evidence.calls.sessions if s.lost_phase)),
        "accounts": accounts(evidence),
        "cost_by_pool": dollars_by_pool(evidence, Scope()),
        "failovers": worst_failovers(evidence),
        "health": health_changes(evidence),
        "timeline": series(evidence),
        "proofs": _proofs(evidence, proofs),
        "notes": notes,
    }
    return Report(record.path, data, verdict)


def plain(value: Any) -> Any:
    """`value` ready for JSON: infinite -> "never", NaN -> null, bytes -> hex, numpy numbers -> numbers."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return None if math.isnan(value) else ("never" if value > 0 else "-never") if math.isinf(value) else value
    return value.hex() if isinstance(value, bytes) else value


def _explained(
    evidence: Evidence,
    gates: list[GateResult],
    verdict: RunVerdict,
    proofs: Proofs,
    notes: list[str],
    carried: Carrying | None,
) -> dict[str, Any]:
    """The section `explanation`. If making it crashes, the report is still written, with the verdict's first reason."""
    try:
        first = [*proofs.upstream_doubts, carried.text if carried is not None else ""][0]
        return explanation(evidence, gates, verdict, proofs.too_busy, first)
    except Exception as error:
        notes.append(f"the explanation crashed: {error!r}")
        failed = sum(1 for result in gates if result.verdict == "fail")
        return {"sentence": verdict.why[0], "gates_failed": failed, "gates": len(gates)}


def _carrying(found: Carrying | None) -> dict[str, Any] | None:
    """The part `carrying` of the report."""
    return None if found is None else {**asdict(found), "text": found.text}


def phase_facts(record: Record) -> list[dict[str, Any]]:
    """The part `phases` of the report: each phase of the run."""
    return [
        {"name": p.name, "start_s": p.start_s, "end_s": p.end_s, "finished": record.finished(p.name)}
        for p in record.phases
    ]


def run_facts(record: Record) -> dict[str, Any]:
    """The part `run` of the report: what was played, where and how."""
    experiment = record.experiment
    stack = experiment.get("stack")
    stack = stack if isinstance(stack, dict) else {}
    target = experiment.get("target")
    started = next((e["at"] for e in record.run_events if e.get("event") == "started"), record.zero_ns)
    load = experiment.get("load")
    load = load if isinstance(load, dict) else {}
    twin_of = experiment.get("twin_of")
    headline = str(experiment.get("headline_gate", experiment.get("tells")) or "")
    return {
        "folder": record.path.name,
        "name": record.name,
        "title": str(experiment.get("title") or ""),
        "description": str(experiment.get("description") or ""),
        "family": str(experiment.get("family") or ""),
        "headline_gate": headline,
        "tells": headline,  # its former name, for programs that read it
        "short_form": bool(experiment.get("short_form")),
        "twin_of": twin_of.get("folder") if isinstance(twin_of, dict) else None,
        "machine": machine_text(record.machine.get("cores"), record.machine.get("memory_bytes")),
        "version": str(record.machine.get("brownout") or ""),
        "started_at": datetime.fromtimestamp(int(started) / 1e9, UTC).isoformat(timespec="milliseconds"),
        "zero_ns": record.zero_ns,
        "duration_s": record.end_s(),
        "stack": stack.get("name"),
        "url": target.get("url") if isinstance(target, dict) else None,
        "gateway": _gateway_choice(target),
        "gateway_program": record.gateway.get("program"),
        "gateway_version": record.gateway.get("version"),
        "gateway_tested": record.gateway.get("tested") or None,
        "model": stack.get("model") or (target.get("model") if isinstance(target, dict) else None),
        "profile": load.get("profile"),
        "trace": load.get("trace"),
        "trace_told": [str(line) for line in load.get("told") or ()],
        "load_scale": _scale(load.get("scale")),
        "seed": experiment.get("seed"),
        "slo": record.slo,
        "command": experiment.get("command"),
        "replicas": [asdict(replica) for replica in record.replicas],
        "guardrails": [{"text": str(g.get("text", "")), "value": g.get("value")} for g in record.guardrails],
    }


def _scale(given: object) -> float:
    """By what the rate of arrivals was multiplied; 1 where the record does not say."""
    return float(given) if isinstance(given, (int, float)) and given > 0 else 1.0


def _gateway_choice(target: Any) -> str | None:
    """The real gateway that the run started, as `nginx:tuned`; None without one."""
    chosen = target.get("gateway") if isinstance(target, dict) else None
    for name, settings in chosen.items() if isinstance(chosen, dict) else ():
        return f"{name}:{settings.get('preset')}" if isinstance(settings, dict) else str(name)
    return None


def _gate(result: GateResult) -> dict[str, Any]:
    gate = result.gate
    return {
        "text": gate.text,
        "measure": gate.name,
        "title": gate.spec.title,
        "kind": gate.kind,
        "phase": gate.phase,
        "where": f"{gate.where[0]}={gate.where[1]}" if gate.where else None,
        "op": gate.op,
        "bound": gate.value,
        "unit": gate.own_unit,
        "relative_to_baseline": gate.relative_to_baseline,
        "on_inconclusive": gate.on_inconclusive,
        "verdict": result.verdict,
        "judged": result.judged,
        "value": result.value,
        "baseline": result.baseline,
        "factor": result.factor,
        "interval": list(result.interval) if result.interval else None,
        "samples": result.samples,
        "samples_needed": result.samples_needed,
        "effective_samples": result.effective_samples,
        "sessions": result.sessions,
        "why": result.why,
        "traceback": result.traceback,
    }


def _fault(evidence: Evidence, impact: FaultImpact, undo: UndoFact | None) -> dict[str, Any]:
    fault = impact.fault
    interrupted = [e for e in impact.encounters if e.interrupted]
    detected_s, how = detection(evidence, impact)
    known = impact.injected and impact.on_replicas and evidence.calls.sees_upstream
    return {
        "id": fault.id,
        "kind": fault.kind,
        "targets": list(fault.targets),
        "pools": list(fault.pools),
        "params": dict(fault.params),
        "share": fault.share,
        "only": dict(fault.only),
        "stages": dict(fault.stages),
        "traits": fault.traits.recorded(),
        "why": fault.why,
        "undone_by": undo.undone_by if undo is not None else None,
        "left": undo.left if undo is not None else "",
        "hits": impact.hits,
        "calls_met": len(impact.encounters),
        "calls_met_at_most": _met_at_most(evidence, impact),
        "attempts_met": impact.attempts,
        "calls_interrupted": len(interrupted),
        "calls_saved": sum(e.saved for e in impact.encounters),
        "detected_after_s": detected_s if known else None,
        "detected_by": how,
        "readmitted_after_s": readmissions(evidence, impact) if known and fault.reverted_s is not None else {},
        "doubts": fault_doubts(impact),
    }


def _met_at_most(evidence: Evidence, impact: FaultImpact) -> int | None:
    """The calls that met the fault, with those that its dead replicas may have refused unseen; None: not known."""
    fault, seen = impact.fault, len(impact.encounters)
    if not impact.hits_are_known or (impact.on_replicas and not evidence.calls.sees_upstream):
        return None
    refuses = fault.traits.stops_process and not fault.traits.silences_calls
    if fault.injected_s is None or not impact.on_replicas or not refuses:
        return seen
    over_s = fault.stages.get("verified", fault.reverted_s)
    over_s = math.inf if over_s is None else over_s
    calls = [one.call for one in unseen_calls(evidence)]
    more = sum(call.sent_s <= over_s and call.end_s >= fault.injected_s for call in calls)
    return seen + int(min(more, unseen_limit(evidence)))


def _measures(evidence: Evidence) -> dict[str, Any]:
    """Every measure over the run and by phase, without intervals: only gates have them, they are slow to compute."""
    return {
        f"{spec.name}.{stat}" if stat else spec.name: _measure(evidence, spec, stat)
        for spec in CATALOGUE.values()
        for stat in _stats(spec)
    }


def _stats(spec: MeasureSpec) -> list[str]:
    bare = [""] if spec.default_stat is not None else []
    if "p*" in spec.stats:
        return bare + list(_TABLE_STATS)
    return bare + list(spec.stats)


def _measure(evidence: Evidence, spec: MeasureSpec, stat: str) -> dict[str, Any]:
    phases = [p.name for p in evidence.record.phases if p.name in PHASES] if spec.phased else []
    return {
        "title": spec.title,
        "kind": spec.kind_of(stat),
        "unit": spec.unit_of(stat),
        "run": _value(evidence, spec, stat, None),
        "phases": {phase: _value(evidence, spec, stat, phase) for phase in dict.fromkeys(phases)},
    }


def _value(evidence: Evidence, spec: MeasureSpec, stat: str, phase: str | None) -> dict[str, Any]:
    try:
        found = measure(evidence, spec.name, Scope(phase), stat)
    except Exception as error:  # a measure that crashes must not lose the others
        return {"value": None, "samples": 0, "why_not": f"the measure crashed: {error!r}", "note": ""}
    return {"value": found.value, "samples": found.samples, "why_not": found.why_not, "note": found.note}


def _outcomes(evidence: Evidence) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for call in evidence.calls.calls:
        counts.setdefault(call.phase, Counter())[call.outcome] += 1
    return {phase: dict(sorted(counter.items())) for phase, counter in counts.items()}


def _lost_sessions(sessions: list[Session]) -> list[dict[str, Any]]:
    lost = [session for session in sessions if session.outcome == SessionOutcome.LOST]
    return [
        {
            "session": session.id,
            "tenant": session.tenant,
            "phase": session.phase,
            "lost_phase": session.lost_phase,
            "started_s": session.start_s,
            "ended_s": session.end_s,
            "because": session.lost_because,
            "calls": len(session.calls),
            "reason": reason_of(session.lost_by) if session.lost_by is not None else "",
            "pool": _last_call(session).pool if session.calls else "",
            "replica": _last_call(session).replica if session.calls else "",
        }
        for session in lost[:_LOST_LISTED]
    ]


def _last_call(session: Session) -> Call:
    """The call that lost the session, or else its last one."""
    return session.lost_by or session.calls[-1]


def _proofs(evidence: Evidence, proofs: Proofs) -> dict[str, Any]:
    calls, record = evidence.calls, evidence.record
    work = work_of(evidence)
    return {
        "loadgen": proofs.loadgen,
        "machine": proofs.machine,
        "machine_doubts": list(proofs.too_busy),
        "severe_doubts": list(proofs.severe_doubts),
        "doubts": [
            *proofs.upstream_doubts,
            *proofs.fault_doubts,
            *proofs.latency_doubts,
            *(doubt for doubts in proofs.source_doubts.values() for doubt in doubts),
        ],
        "spans": {
            "received": record.files.spans,
            "lost": sum(count.lost for count in proofs.spans),
            "lost_by_fault": sum(count.lost_by_fault for count in proofs.spans),
            "torn_files": record.files.torn,
            "by_process": [asdict(count) for count in proofs.spans],
        },
        "joins": {
            "calls_by_trace": calls.joined.get("trace", 0),
            "calls_by_conversation": calls.joined.get("key", 0),
            "calls_without_server_spans": calls.joined.get("none", 0),
            "attempts_without_call": len(calls.unjoined_attempts),
            "replica_requests_without_call": len(calls.unjoined_requests),
            "other_upstreams": bool(proofs.upstream_doubts),
            "replicas_without_call": list(proofs.idle_replicas),
            "chunk_logs": calls.has_chunks,
            "bad_chunk_logs": calls.bad_chunk_logs,
        },
        "work": {
            "attempts_estimated": work.estimated,
            "calls_with_unknown_prompt": work.unknown,
            "shared_prefix_tokens": work.shared_prefix,
        },
    }
