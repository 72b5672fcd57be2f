"""Selects calls of a record, and puts each into the form of `failovers` in `report.json`: header and spans.

Unlike a plain trace, a call is complete even where the gateway dropped the trace context: spans that were joined by
conversation are placed below the span they belong to.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from reports.history.calls import Call
from reports.history.encounters import Encounter
from reports.history.evidence import Evidence
from reports.record.spans import Span
from reports.shared import attributes as names
from reports.shared.errors import UserError, similar
from reports.waterfall.data import span_tree

__all__ = ["call_named", "call_reports", "encounter_of", "failovers", "key_text", "slowest", "worst_failovers"]

WORST: Final = 5
"""How many failovers report.json holds."""

_NEAR: Final = 4
"""How many similar names an error suggests."""


def key_text(call: Call) -> str:
    """`SESSION/AGENT#TURN`, as `brownout trace --call` takes it."""
    return f"{call.session}/{call.agent}#{call.turn}"


def failovers(evidence: Evidence, most: int) -> list[tuple[Call, Encounter]]:
    """The calls that met a fault, each once: never resumed, then longest interruption, then not interrupted."""
    met = [encounter for impact in evidence.impacts for encounter in impact.encounters]
    met.sort(key=lambda e: (-_severity(e), e.met_s, e.call.key))
    found: dict[tuple[str, str, int], tuple[Call, Encounter]] = {}
    for encounter in met:
        found.setdefault(encounter.call.key, (encounter.call, encounter))
    return list(found.values())[:most]


def worst_failovers(evidence: Evidence, limit: int = WORST) -> list[dict[str, Any]]:
    """`failovers` of report.json: the longest interruptions, at most `limit`, each with the spans of its call.

    The worst first: calls that never resumed, then the longest interruptions.
    """
    hit = [e for impact in evidence.impacts for e in impact.encounters if e.interrupted]
    hit.sort(key=lambda e: (-e.failover_s, e.met_s, e.call.key))
    chosen: list[tuple[Call, Encounter | None]] = [(encounter.call, encounter) for encounter in hit[:limit]]
    reports = call_reports(evidence, chosen)
    return [{**report, "trace_id": call.span.trace_id.hex()} for report, (call, _) in zip(reports, chosen, strict=True)]


def slowest(evidence: Evidence, most: int) -> list[tuple[Call, Encounter | None]]:
    """The calls with the longest duration, from the send to the last byte."""
    calls = sorted(evidence.calls.calls, key=lambda call: (-(call.end_s - call.sent_s), call.sent_s))
    return [(call, encounter_of(evidence, call)) for call in calls[:most]]


def call_named(evidence: Evidence, name: str) -> tuple[Call, Encounter | None]:
    """The call named SESSION/AGENT#TURN. Raises UserError that suggests similar names."""
    by_name = {key_text(call): call for call in evidence.calls.calls}
    call = by_name.get(name.strip())
    if call is not None:
        return call, encounter_of(evidence, call)
    if not by_name:
        raise UserError(f"call {name}: this record has no calls")
    stem = name.strip().rstrip("/#").lower()
    starting = [known for known in by_name if known.lower().startswith(stem)] if stem else []
    near = starting[:_NEAR] or similar(name, by_name, most=_NEAR) or list(by_name)[:_NEAR]
    more = f" (and {len(starting) - _NEAR:,} more with this prefix)" if len(starting) > _NEAR else ""
    raise UserError(
        f"call {name}: not found among the {len(by_name):,} calls of this record. "
        f"A call is named SESSION/AGENT#TURN, for example {', '.join(near)}{more}"
    )


def encounter_of(evidence: Evidence, call: Call) -> Encounter | None:
    """The encounter of a call with a fault that interrupted it longest; None if it met no fault."""
    encounters = [e for impact in evidence.impacts for e in impact.encounters if e.call is call]
    return max(encounters, key=_severity, default=None)


def _severity(encounter: Encounter) -> float:
    return encounter.failover_s if encounter.interrupted and not math.isnan(encounter.failover_s) else -1.0


def call_reports(evidence: Evidence, chosen: Sequence[tuple[Call, Encounter | None]]) -> list[dict[str, Any]]:
    """Each call with its spans, in the form of `failovers` in `report.json`."""
    children = _children(evidence, [call for call, _ in chosen])
    return [_call_report(evidence, call, encounter, children) for call, encounter in chosen]


def _call_report(
    evidence: Evidence, call: Call, encounter: Encounter | None, children: dict[bytes, list[Span]]
) -> dict[str, Any]:
    report: dict[str, Any] = {
        "session": call.session,
        "agent": call.agent,
        "turn": call.turn,
        "outcome": call.outcome,
        "sent_s": call.sent_s,
        "spans": span_tree(evidence, call.span, children),
    }
    if encounter is None:
        return report
    report |= {"fault": encounter.fault, "met_s": encounter.met_s, "saved": encounter.saved}
    if encounter.interrupted:
        report |= {
            "failover_s": encounter.failover_s,
            "last_token_before_s": encounter.died_s,
            "first_token_after_s": encounter.resumed_s,
            "from_replica": encounter.from_replica,
            "to_replica": encounter.to_replica,
        }
        chunks = [chunk for attempt in call.client_attempts for chunk in attempt.chunks]
        if chunks:
            before = sum(tokens for at, tokens in chunks if at <= encounter.died_s)
            report |= {"tokens_before": before, "tokens_after": sum(tokens for _, tokens in chunks) - before}
    return report


def _children(evidence: Evidence, calls: Iterable[Call]) -> dict[bytes, list[Span]]:
    """Spans by parent; a span whose trace context was lost is under the span that it was joined to."""
    chosen = list(calls)
    found: dict[bytes, list[Span]] = defaultdict(list)
    traces: set[bytes] = set()
    for call in chosen:
        traces.add(call.span.trace_id)
        traces.update(span.trace_id for span in call.gateway_requests)
        traces.update(attempt.span.trace_id for attempt in call.attempts)
        traces.update(request.span.trace_id for request in call.replica_requests)
    for span in evidence.record.spans:
        if span.trace_id in traces:
            found[span.parent_id].append(span)
    for call in chosen:
        for request in call.replica_requests:
            if request.span.attributes.get(names.SPAN_LOST) and request.span.parent_id:
                found[request.span.parent_id].append(request.span)
    for call in chosen:
        _attach_unlinked(call, found)
    return found


def _attach_unlinked(call: Call, children: dict[bytes, list[Span]]) -> None:
    """Add the joined spans that cannot be reached from the span of the call."""
    reachable = {call.span.span_id}
    below = [call.span.span_id]
    while below:
        for span in children.get(below.pop(), ()):
            if span.span_id not in reachable:
                reachable.add(span.span_id)
                below.append(span.span_id)
    clients = [attempt.span for attempt in call.client_attempts] or [call.span]
    for request in call.gateway_requests:
        if request.span_id not in reachable:
            children[_covering(clients, request).span_id].append(request)
    gateways = call.gateway_requests or clients
    known = reachable | {request.span_id for request in call.gateway_requests}
    for attempt in call.attempts:
        if attempt.span.span_id not in reachable and attempt.span.parent_id not in known:
            children[_covering(gateways, attempt.span).span_id].append(attempt.span)
    attempts = {attempt.span.span_id for attempt in call.attempts}
    for served in call.replica_requests:
        if served.span.span_id in reachable | attempts or served.span.parent_id in attempts:
            continue
        at_replica = [attempt.span for attempt in call.attempts if attempt.replica == served.replica]
        children[_covering(at_replica or gateways, served.span).span_id].append(served.span)


def _covering(candidates: Sequence[Span], span: Span) -> Span:
    """The last of `candidates` that started before `span`; the first one if none did."""
    earlier = [candidate for candidate in candidates if candidate.start_ns <= span.start_ns]
    return max(earlier, key=lambda c: c.start_ns) if earlier else candidates[0]
