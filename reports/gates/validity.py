"""Checks that a run was a valid test: faults happened, load as planned, machine fast enough, spans received.

Each check returns numbers and, where it fails, reasons as text that make gates inconclusive.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, Final

from reports.history.encounters import FaultImpact
from reports.history.evidence import Evidence
from reports.record.reader import GaugePost, Record
from reports.shared.attributes import SERVICE_GATEWAY, SERVICE_LOADGEN, SERVICE_REPLICA

__all__ = ["Proofs", "SpanCount", "fault_doubts", "prove"]

CPU_LIMIT: Final = 0.90
"""Share of a core that the load generator may use over `CPU_WINDOW_S`."""
CPU_WINDOW_S: Final = 5.0
LATE_S: Final = 0.1
"""A session is late when it starts this much after its planned time."""
LATE_SHARE_LIMIT: Final = 0.02
"""Share of sessions that may be late."""
TOKEN_LATENESS_LIMIT_MS: Final = 20
"""99 % of the replicas' tokens must be at most this late."""
LATE_TICKS_LIMIT: Final = 0.01
"""Share of the checks of the gateway's event loop that may find it over 50 ms late."""
SPANS_LOST_LIMIT: Final = 0.001
"""Share of the spans of a kind of process that may be lost."""
SETTLE_S: Final = 1.0
"""After a fault is verified as reverted, a replica's lateness counts again after this long."""


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

    `latency_doubts` apply to gates on times, `source_doubts` to gates that need spans of that kind of process
    ("loadgen", "gateway", "replica"), `fault_doubts` to gates about the fault.
    """

    loadgen: dict[str, Any]
    machine: dict[str, Any]
    spans: tuple[SpanCount, ...]
    latency_doubts: tuple[str, ...]
    source_doubts: dict[str, tuple[str, ...]]
    fault_doubts: tuple[str, ...]


def prove(evidence: Evidence) -> Proofs:
    """Check the validity of a run from its counters and spans."""
    record = evidence.record
    begin, end = _measured_span(record)
    loadgen, load_doubts = _loadgen(evidence, begin, end)
    machine, machine_doubts = _machine(record, begin, end)
    spans = _spans(record)
    return Proofs(
        loadgen=loadgen,
        machine=machine,
        spans=spans,
        latency_doubts=(*load_doubts, *machine_doubts),
        source_doubts=_source_doubts(spans),
        fault_doubts=tuple(doubt for impact in evidence.impacts for doubt in fault_doubts(impact)),
    )


def fault_doubts(impact: FaultImpact) -> list[str]:
    """Why one fault was not a valid test, as text; empty where it was."""
    fault = impact.fault
    if not impact.injected:
        return [f"fault {fault.id} ({fault.kind}) was never injected" + (f": {fault.why}" if fault.why else "")]
    doubts = []
    if not impact.confirmed:
        doubts.append(f"fault {fault.id} ({fault.kind}) was not confirmed" + (f": {fault.why}" if fault.why else ""))
    if not impact.hit_something:
        doubts.append(f"fault {fault.id} ({fault.kind}) hit nothing: no call met it")
    return doubts


def _measured_span(record: Record) -> tuple[float, float]:
    """Start of the baseline and end of the recovery, seconds; of the whole record where it has no such phases."""
    measured = [p for p in record.phases if p.name in ("baseline", "fault", "recovery")] or record.phases
    return min((p.start_s for p in measured), default=0.0), max((p.end_s for p in measured), default=record.end_s())


def _is_load(post: GaugePost) -> bool:
    return "arrivals" in post.data or "load_started" in post.data


def _by_instance(posts: Iterable[GaugePost]) -> dict[str, list[GaugePost]]:
    found: dict[str, list[GaugePost]] = defaultdict(list)
    for post in posts:
        found[post.instance].append(post)
    return found


def _loadgen(evidence: Evidence, begin: float, end: float) -> tuple[dict[str, Any], list[str]]:
    record = evidence.record
    posts = [post for post in record.gauges if _is_load(post)]
    cpu = max((_worst_cpu(own, begin, end) for own in _by_instance(posts).values()), default=math.nan)
    # Each worker has its own counters: add up the last post of each.
    last = [own[-1].data for own in _by_instance(posts).values()]
    planned = sum(int(data.get("arrivals_planned") or 0) for data in last)
    arrivals = sum(int(data.get("arrivals") or 0) for data in last)
    late = sum(int(data.get("late_arrivals") or 0) for data in last)
    if not last:
        arrivals = len(evidence.calls.sessions)
        late = sum(session.lateness_s > LATE_S for session in evidence.calls.sessions)
        planned = arrivals
    share = late / arrivals if arrivals else 0.0
    lateness = sorted(session.lateness_s for session in evidence.calls.sessions)
    doubts = []
    if cpu > CPU_LIMIT:
        doubts.append(f"the load generator used {cpu:.0%} of a core over {CPU_WINDOW_S:g} s (limit {CPU_LIMIT:.0%})")
    if share > LATE_SHARE_LIMIT:
        doubts.append(
            f"{share:.1%} of the sessions started over {LATE_S * 1000:.0f} ms late (limit {LATE_SHARE_LIMIT:.0%})"
        )
    return {
        "arrivals_planned": planned,
        "arrivals": arrivals,
        "late_arrivals": late,
        "late_share": share,
        "worst_lateness_s": lateness[-1] if lateness else None,
        "worst_cpu": None if math.isnan(cpu) else cpu,
        "sound": not doubts,
    }, doubts


def _worst_cpu(posts: list[GaugePost], begin: float, end: float) -> float:
    """The highest share of a core used over 5 s; over the whole time where that is shorter. NaN: unknown."""
    within = [post for post in posts if begin <= post.at_s <= end]
    if len(within) < 2:
        return math.nan
    worst, first = 0.0, 0
    for index, post in enumerate(within):
        while within[first + 1].at_s <= post.at_s - CPU_WINDOW_S and first + 1 < index:
            first += 1
        elapsed = post.at_s - within[first].at_s
        if elapsed >= CPU_WINDOW_S * 0.9 or (index == len(within) - 1 and first == 0 and elapsed > 0):
            worst = max(worst, (post.cpu_s - within[first].cpu_s) / elapsed)
    return worst


def _machine(record: Record, begin: float, end: float) -> tuple[dict[str, Any], list[str]]:
    lateness = _token_lateness(record, begin, end)
    count, on_time = lateness.get("count", 0), lateness.get(str(TOKEN_LATENESS_LIMIT_MS), 0)
    p99 = _bucket_quantile(lateness, 0.99)
    gateway = [post for post in record.gauges if post.kind == "gateway" and begin <= post.at_s <= end]
    late_share = _late_ticks(gateway)
    doubts = []
    if count and on_time < 0.99 * count:
        doubts.append(
            f"{1 - on_time / count:.1%} of the replicas' tokens were over {TOKEN_LATENESS_LIMIT_MS} ms late (limit 1%)"
        )
    if late_share is not None and late_share > LATE_TICKS_LIMIT:
        doubts.append(f"the gateway's event loop was over 50 ms late in {late_share:.1%} of the checks (limit 1%)")
    return {
        "tokens": count,
        "token_lateness_p99_ms": p99,
        "token_lateness_buckets": {key: value for key, value in lateness.items() if key != "count"},
        "gateway_loop_late_share": late_share,
        "gateway_loop_lag_max_s": max((post.loop_lag_s for post in gateway), default=None),
        "cores": record.machine.get("cores"),
        "memory_bytes": record.machine.get("memory_bytes"),
        "python": record.machine.get("python"),
        "kernel": record.machine.get("kernel"),
        "sound": not doubts,
    }, doubts


def _late_ticks(posts: list[GaugePost]) -> float | None:
    """The share of checks of the event loop that found it over 50 ms late; None without checks."""
    ticks = late = 0
    for own in _by_instance(posts).values():
        ticks += own[-1].loop_ticks - own[0].loop_ticks
        late += own[-1].late_ticks - own[0].late_ticks
    return late / ticks if ticks else None


def _token_lateness(record: Record, begin: float, end: float) -> dict[str, int]:
    """Tokens by lateness from baseline to recovery, without those of a replica while it has a fault."""
    faulted: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for fault in record.faults:
        if fault.injected_s is not None:
            over = fault.stages.get("verified", fault.stages.get("reverted", end))
            for replica in fault.targets:
                faulted[replica].append((fault.injected_s, over + SETTLE_S))
    total: dict[str, int] = defaultdict(int)
    for own in _by_instance(post for post in record.gauges if post.kind == "replica").values():
        for before, after in pairwise(own):
            if after.at_s < begin or before.at_s > end:
                continue
            if any(after.at_s > on and before.at_s < off for on, off in faulted.get(after.process, ())):
                continue
            now, then = _buckets(after), _buckets(before)
            for key, value in now.items():
                total[key] += max(0, value - then.get(key, 0))
    return dict(total)


def _buckets(post: GaugePost) -> dict[str, int]:
    lateness = post.data.get("token_lateness_ms")
    if not isinstance(lateness, dict):
        return {}
    counts = {key: int(value) for key, value in (lateness.get("buckets") or {}).items()}
    keys = sorted(counts, key=float)
    return {
        "count": int(lateness.get("count") or 0),
        **dict(zip(keys, accumulate(counts[key] for key in keys), strict=True)),
    }


def _bucket_quantile(buckets: dict[str, int], q: float) -> float | None:
    """The upper bound of the bucket with the quantile; None without tokens, infinite beyond the last bound."""
    count = buckets.get("count", 0)
    if not count:
        return None
    bounds = sorted(float(key) for key in buckets if key not in ("count", "inf"))
    return next((bound for bound in bounds if buckets[f"{bound:g}"] >= q * count), math.inf)


def _spans(record: Record) -> tuple[SpanCount, ...]:
    """Spans started and received, by incarnation. Spans of a process without counters count as complete."""
    received = record.files.by_instance
    last = {instance: own[-1] for instance, own in _by_instance(record.gauges).items()}
    ended_by_fault = {f"{e.name}#{e.incarnation}" for e in record.exits if e.expected}
    counts = []
    for instance in sorted(set(received) | set(last)):
        got, post = received.get(instance, 0), last.get(instance)
        started = max(post.started, got) if post is not None else got
        kind = _kind_of(post) if post is not None else ""
        missing = started - got
        died = post is not None and not post.final and instance in ended_by_fault
        counts.append(SpanCount(instance, kind, started, got, 0 if died else missing, missing if died else 0))
    return tuple(counts)


def _kind_of(post: GaugePost) -> str:
    if _is_load(post):
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
