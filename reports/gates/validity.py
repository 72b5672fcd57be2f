"""Checks that a run was a valid test: faults happened, load as planned, machine fast enough, spans received.

Each check returns numbers and, where it fails, reasons as text that make gates inconclusive.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from reports.gates.machine import MachineDoubt, by_instance, check_loadgen, check_machine, is_load
from reports.history.encounters import FaultImpact
from reports.history.evidence import Evidence
from reports.history.served import answered_elsewhere, replicas_without_call
from reports.record.entries import GaugePost
from reports.record.reader import Record
from reports.shared.attributes import SERVICE_GATEWAY, SERVICE_LOADGEN, SERVICE_REPLICA
from reports.shared.wording import without_call_text

__all__ = ["Proofs", "SpanCount", "fault_doubts", "prove"]

SPANS_LOST_LIMIT: Final = 0.001
"""Share of the spans of a kind of process that may be lost."""


@dataclass(frozen=True, slots=True)
class SpanCount:
    """The spans of one incarnation of a process. `lost_by_fault`: lost with a process that a fault ended."""

    instance: str
    kind: str
    started: int
    received: int
    lost: int
    lost_by_fault: int


@dataclass(frozen=True, slots=True)
class Proofs:
    """Results of the checks. The `*_doubts` are reasons as text, empty where a check succeeded.

    `machine_doubts` apply to gates on times, and to what a late machine may have caused. `source_doubts` apply to gates
    that need spans of that kind of process ("loadgen", "gateway", "replica"), `fault_doubts` to gates about the fault,
    `upstream_doubts` to all gates: it was not the stack of this run that answered. `idle_replicas` got no call in the
    baseline, where that is not by chance.
    """

    loadgen: dict[str, Any]
    machine: dict[str, Any]
    spans: tuple[SpanCount, ...]
    machine_doubts: tuple[MachineDoubt, ...]
    source_doubts: dict[str, tuple[str, ...]]
    fault_doubts: tuple[str, ...]
    upstream_doubts: tuple[str, ...] = ()
    idle_replicas: tuple[str, ...] = ()

    @property
    def latency_doubts(self) -> tuple[str, ...]:
        """Why times of this run are not valid, as text."""
        return tuple(doubt.text for doubt in self.machine_doubts)

    @property
    def severe_doubts(self) -> tuple[str, ...]:
        """Of these, the ones that change what happens, and not only how long it takes."""
        return tuple(doubt.text for doubt in self.machine_doubts if doubt.severe)

    @property
    def too_busy(self) -> tuple[str, ...]:
        """Why this machine was too slow, as text, without what is not known of it."""
        return tuple(doubt.text for doubt in self.machine_doubts if doubt.concern != "unknown")


def prove(evidence: Evidence) -> Proofs:
    """Check the validity of a run from its counters and spans."""
    record = evidence.record
    begin, end = _measured_span(record)
    loadgen, load_doubts = check_loadgen(evidence, begin, end)
    machine, late_doubts = check_machine(evidence, begin, end)
    spans = _spans(record)
    return Proofs(
        loadgen=loadgen,
        machine=machine,
        spans=spans,
        machine_doubts=(*load_doubts, *late_doubts),
        source_doubts=_source_doubts(spans),
        fault_doubts=tuple(doubt for impact in evidence.impacts for doubt in fault_doubts(impact)),
        upstream_doubts=_upstream_doubts(evidence),
        idle_replicas=_idle_replicas(evidence),
    )


def fault_doubts(impact: FaultImpact) -> list[str]:
    """Why one fault was not a valid test, as text; empty where it was."""
    fault = impact.fault
    if not impact.injected:
        return [f"fault {fault.id} ({fault.kind}) was never injected" + (f": {fault.why}" if fault.why else "")]
    doubts = []
    if not impact.confirmed:
        doubts.append(f"fault {fault.id} ({fault.kind}) was not confirmed" + (f": {fault.why}" if fault.why else ""))
    if "lapsed" in fault.stages:
        at_s = fault.stages["lapsed"]
        doubts.append(
            f"fault {fault.id} ({fault.kind}) was off from {at_s:.1f} s on: its lease was not renewed in time"
        )
    asked = without_call_text(impact.unserved, "before its end") if impact.unserved else ""
    if impact.hits_are_known and not impact.hit_something:
        hint = f"; {asked}" if asked else ""
        doubts.append(f"fault {fault.id} ({fault.kind}) hit nothing: no call met it{hint}")
    return doubts


def _upstream_doubts(evidence: Evidence) -> tuple[str, ...]:
    found = answered_elsewhere(evidence.record, evidence.calls)
    return (found.text,) if found is not None and found.is_doubt else ()


def _idle_replicas(evidence: Evidence) -> tuple[str, ...]:
    baseline = evidence.record.phase("baseline")
    if baseline is None:
        return ()
    return replicas_without_call(evidence.record, evidence.calls, baseline.start_s, baseline.end_s)


def _measured_span(record: Record) -> tuple[float, float]:
    """Start of the baseline and end of the recovery, seconds; of the whole record where it has no such phases."""
    measured = [p for p in record.phases if p.name in ("baseline", "fault", "recovery")] or record.phases
    return min((p.start_s for p in measured), default=0.0), max((p.end_s for p in measured), default=record.end_s())


def _spans(record: Record) -> tuple[SpanCount, ...]:
    """Spans started and received, by incarnation. Spans of a process without counters count as complete."""
    received = record.files.by_instance
    last = {instance: own[-1] for instance, own in by_instance(record.gauges).items()}
    ended_by_fault = {f"{e.name}#{e.incarnation}" for e in record.exits if e.expected}
    counts = []
    for instance in sorted(set(received) | set(last)):
        got, post = received.get(instance, 0), last.get(instance)
        ended = record.posted_spans.get(instance) or 0  # as the runner received it, also if the counters are lost
        started = max(ended, got, post.started if post is not None else 0)
        kind = _kind_of(post) if post is not None else ""
        missing = started - got
        died = post is not None and not post.final and instance in ended_by_fault
        counts.append(SpanCount(instance, kind, started, got, 0 if died else missing, missing if died else 0))
    return tuple(counts)


def _kind_of(post: GaugePost) -> str:
    if is_load(post):
        return "loadgen"
    return {SERVICE_GATEWAY: "gateway", SERVICE_REPLICA: "replica", SERVICE_LOADGEN: "loadgen"}.get(
        post.kind, post.kind
    )


def _source_doubts(spans: Iterable[SpanCount]) -> dict[str, tuple[str, ...]]:
    doubts: dict[str, tuple[str, ...]] = {}
    by_kind: dict[str, list[SpanCount]] = defaultdict(list)
    for count in spans:
        by_kind[count.kind].append(count)
    for kind, counts in by_kind.items():
        started, lost = sum(c.started for c in counts), sum(c.lost for c in counts)
        if started and lost / started > SPANS_LOST_LIMIT:
            where = ", ".join(c.instance for c in counts if c.lost)
            doubts[kind] = (
                f"{lost} of {started} spans of {where} were never received ({lost / started:.2%}, limit 0.10%)",
            )
    return doubts
