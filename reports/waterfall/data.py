"""The calls that a fault interrupted, each with its spans as a tree: `failovers` of report.json.

The worst first: calls that never resumed, then the longest interruptions.
"""

from __future__ import annotations

from typing import Any, Final

from reports.history.encounters import Encounter
from reports.history.evidence import Evidence
from reports.record.spans import Span
from reports.shared import attributes as names

__all__ = ["WORST", "span_tree", "worst_failovers"]

WORST: Final = 5
"""How many failovers report.json holds."""

_SHOWN_ATTRIBUTES: Final = frozenset(
    {
        names.OUTCOME,
        names.ERROR_MESSAGE,
        names.REQUEST_MAX_TOKENS,
        names.POOL,
        names.REPLICA,
        names.ATTEMPT_NUMBER,
        names.ATTEMPT_REASON,
        names.ATTEMPT_WHY,
        names.CONTINUATION_OFFSET,
        names.TOKENS_PASSED_ON,
        names.TOKENS_EXPECTED,
        names.TOKENS_RECEIVED,
        names.CALL_TTFT,
        names.CALL_E2E,
        names.CALL_MAX_GAP,
        names.CALL_ATTEMPTS,
        names.PREFILL_CACHED,
        names.PREFILL_COMPUTED,
        names.PROMPT_TOKENS,
        names.DECODED,
        names.SENT,
        names.HTTP_STATUS,
        names.HTTP_RESEND_COUNT,
        names.GATEWAY_ATTEMPTS,
        names.GATEWAY_MIGRATIONS,
        names.TOOL_NAME,
        names.AGENT_NAME,
    }
)


def worst_failovers(evidence: Evidence, limit: int = WORST) -> list[dict[str, Any]]:
    """The longest interruptions, at most `limit`, each with the spans of its call."""
    hit = [e for impact in evidence.impacts for e in impact.encounters if e.interrupted]
    hit.sort(key=lambda e: (-e.failover_s, e.met_s, e.call.key))
    children: dict[bytes, list[Span]] = {}
    chosen = hit[:limit]
    traces = {e.call.span.trace_id for e in chosen}
    for span in evidence.record.spans:
        if span.trace_id in traces:
            children.setdefault(span.parent_id, []).append(span)
    return [_failover(evidence, encounter, children) for encounter in chosen]


def _failover(evidence: Evidence, encounter: Encounter, children: dict[bytes, list[Span]]) -> dict[str, Any]:
    call = encounter.call
    return {
        "session": call.session,
        "agent": call.agent,
        "turn": call.turn,
        "fault": encounter.fault,
        "outcome": call.outcome,
        "saved": encounter.saved,
        "sent_s": call.sent_s,
        "met_s": encounter.met_s,
        "failover_s": encounter.failover_s,
        "last_token_before_s": encounter.died_s,
        "first_token_after_s": encounter.resumed_s,
        "from_replica": encounter.from_replica,
        "to_replica": encounter.to_replica,
        "trace_id": call.span.trace_id.hex(),
        "spans": span_tree(evidence, call.span, children),
    }


def span_tree(evidence: Evidence, root: Span, children: dict[bytes, list[Span]]) -> list[dict[str, Any]]:
    """`root` and its descendants in depth-first order, siblings by start. Times: seconds since the load started."""
    rows: list[dict[str, Any]] = []
    stack: list[tuple[Span, int, int | None]] = [(root, 0, None)]
    seen: set[bytes] = set()
    while stack:
        span, depth, parent = stack.pop()
        if span.span_id in seen:
            continue
        seen.add(span.span_id)
        number = len(rows)
        rows.append(_row(evidence, span, depth, parent))
        below = sorted(children.get(span.span_id, ()), key=lambda child: child.start_ns, reverse=True)
        stack.extend((child, depth + 1, number) for child in below)
    return rows


def _row(evidence: Evidence, span: Span, depth: int, parent: int | None) -> dict[str, Any]:
    seconds = evidence.record.seconds
    return {
        "name": span.name,
        "service": span.service,
        "instance": span.instance,
        "span_id": span.span_id.hex(),
        "parent": parent,
        "depth": depth,
        "start_s": seconds(span.start_ns),
        "end_s": seconds(span.end_ns),
        "error": span.error,
        "attributes": {key: value for key, value in span.attributes.items() if key in _SHOWN_ATTRIBUTES},
        "events": [
            {"name": event.name, "at_s": seconds(event.at_ns), "attributes": event.attributes} for event in span.events
        ],
    }
