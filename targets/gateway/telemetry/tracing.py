"""The gateway's spans: one per request, one per upstream attempt, and one of zero length per policy transition.

Uses the OpenTelemetry API only. Without an SDK no span is made, and the client's `traceparent` is forwarded unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from urllib.parse import urlsplit

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from reports.shared import attributes as a
from reports.shared.attributes import Outcome
from reports.shared.tenancy import Account
from reports.shared.tokens import Marker
from targets.gateway.api.incoming import Body
from targets.gateway.routing.decisions import Change, Decision, RoutedAttempt, RoutedCall

__all__ = ["Tracing"]


class Tracing:
    """Starts and ends spans. Call its methods only if `on` is true, or with a span that it returned."""

    def __init__(self) -> None:
        self.on = not type(trace.get_tracer_provider()).__module__.startswith("opentelemetry.trace")
        self._tracer = trace.get_tracer("brownout.targets.gateway")

    def request(self, headers: Mapping[str, str], body: Body, marker: Marker | None, account: Account) -> Span | None:
        """Starts the span of a request, as a child of the client's span. Returns None if it is not recorded."""
        about: dict[str, str | int | bool] = {a.OPERATION_NAME: "chat", a.REQUEST_STREAM: bool(body.stream)}
        if isinstance(body.model, str):
            about[a.REQUEST_MODEL] = body.model
        limit = body.max_completion_tokens or body.max_tokens
        if limit:
            about[a.REQUEST_MAX_TOKENS] = limit
        if marker is not None:
            about[a.CONVERSATION_ID] = marker.session
            about[a.AGENT_ID] = marker.agent
            about[a.TURN] = marker.turn
        if account.tenant:
            about[a.TENANT] = account.tenant
        if account.tier:
            about[a.TIER] = account.tier
        span = self._tracer.start_span(
            a.SPAN_GATEWAY_REQUEST, propagate.extract(headers), kind=SpanKind.SERVER, attributes=about
        )
        return span if span.is_recording() else None

    def decision(self, span: Span, decision: Decision, chosen: str) -> None:
        """Adds a decision of the router or the admission to the request's span."""
        span.add_event(
            a.EVENT_DECISION,
            {
                a.DECISION_CHOSEN: chosen,
                a.DECISION_CONSIDERED: [f"{name}={load_ms:.0f}" for name, load_ms in decision.considered],
                a.DECISION_EXCLUDED: [f"{name}: {why}" for name, why in decision.excluded],
                a.DECISION_WHY: decision.why,
            },
        )

    def hit(self, span: Span, fault_id: str, kind: str) -> None:
        """Adds the effect of an active behaviour to the request's span."""
        span.add_event(a.EVENT_FAULT_HIT, {a.FAULT_ID: fault_id, a.FAULT_KIND: kind})

    def attempt(
        self, parent: Span, attempt: RoutedAttempt, call: RoutedCall, headers: MutableMapping[str, str]
    ) -> Span:
        """Starts the span of an upstream attempt, and puts its context into `headers`."""
        upstream = attempt.replica.upstream
        url = urlsplit(upstream.url)
        about: dict[str, str | int] = {
            a.HTTP_METHOD: "POST",
            a.SERVER_ADDRESS: url.hostname or "",
            a.SERVER_PORT: url.port or 80,
            a.PEER_NAME: upstream.pool,
            a.POOL: upstream.pool,
            a.REPLICA: upstream.name,
            a.CLOUD: upstream.cloud,
            a.ATTEMPT_NUMBER: attempt.number,
            a.ATTEMPT_REASON: attempt.reason,
            a.CONTINUATION_OFFSET: call.offset,
        }
        if attempt.number > 1:
            about[a.HTTP_RESEND_COUNT] = attempt.number - 1
            about[a.ATTEMPT_WHY] = call.why
        context = trace.set_span_in_context(parent)
        span = self._tracer.start_span(a.SPAN_ATTEMPT, context, kind=SpanKind.CLIENT, attributes=about)
        propagate.inject(headers, trace.set_span_in_context(span))
        return span

    def end(self, span: Span, outcome: Outcome, about: Mapping[str, str | int | float], why: str = "") -> None:
        """Ends the span of a request or an attempt."""
        span.set_attribute(a.OUTCOME, outcome.value)
        span.set_attributes(about)
        if outcome is not Outcome.OK:
            span.set_attribute(a.ERROR_TYPE, outcome.value)
            span.set_status(Status(StatusCode.ERROR, why or outcome.value))
        span.end()

    def change(self, change: Change) -> None:
        """Records a policy transition: a span of zero length, in a trace of its own."""
        about = {a.TRANSITION: change.transition.value, a.TRANSITION_WHY: change.why}
        if change.replica:
            about |= {a.REPLICA: change.replica, a.POOL: change.pool}
        self._tracer.start_span(a.SPAN_GATEWAY_TRANSITION, Context(), attributes=about).end()
