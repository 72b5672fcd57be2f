"""The spans of a call as a tree, in the form of report.json."""

from __future__ import annotations

from typing import Any, Final

from reports.history.evidence import Evidence
from reports.record.spans import Span
from reports.shared import attributes as names

__all__ = ["span_tree"]

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
        names.SPAN_LOST,
        names.HTTP_STATUS,
        names.HTTP_RESEND_COUNT,
        names.GATEWAY_ATTEMPTS,
        names.GATEWAY_MIGRATIONS,
        names.TOOL_NAME,
        names.AGENT_NAME,
    }
)


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
