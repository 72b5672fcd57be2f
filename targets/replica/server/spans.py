"""The spans of a request: its size, its phases in the engine, the faults that hit it, its outcome.

Uses only OpenTelemetry's API. Without an SDK, or if a trace is not sampled, no span is made. The request's span begins
on arrival. Its children (queue, prefill, decode) are written at its end, from the engine's times.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from reports.shared import attributes as names
from reports.shared.attributes import Outcome
from targets.replica.delivery.job import Job
from targets.replica.server.config import ReplicaConfig
from targets.replica.server.served_request import ServedRequest

__all__ = ["Spans"]

_PHASE_SPANS: Final = {
    "queue": names.SPAN_REPLICA_QUEUE,
    "prefill": names.SPAN_REPLICA_PREFILL,
    "decode": names.SPAN_REPLICA_DECODE,
}


class Spans:
    """Makes the spans of one replica."""

    def __init__(self, config: ReplicaConfig, tracer: Tracer | None = None) -> None:
        self._tracer = tracer or trace.get_tracer("brownout.targets.replica")
        self._propagator = TraceContextTextMapPropagator()
        # Durations are monotonic; wall time is read once.
        self._epoch_ns = time.time_ns() - time.monotonic_ns()
        self._replica_attributes: dict[str, AttributeValue] = {names.REPLICA: config.name, names.POOL: config.pool}
        if config.cloud:
            self._replica_attributes[names.CLOUD] = config.cloud

    def begin(self, headers: Mapping[str, str], at: float) -> Span | None:
        """Begins the span of a request that arrived at time `at`. Returns None if the span would not be recorded."""
        parent = headers.get("traceparent")
        context = None
        if parent is not None:
            carrier = {"traceparent": parent}
            if (state := headers.get("tracestate")) is not None:
                carrier["tracestate"] = state
            context = self._propagator.extract(carrier)
        span = self._tracer.start_span(
            names.SPAN_REPLICA_REQUEST, context=context, kind=SpanKind.SERVER, start_time=self.unix_ns(at)
        )
        return span if span.is_recording() else None

    def end(self, span: Span, served: ServedRequest) -> None:
        """Sets the attributes, writes the children, and ends the span."""
        span.set_attributes(self._attributes(served))
        for hit in served.context.hits:
            fault = {names.FAULT_ID: hit.fault_id, names.FAULT_KIND: hit.kind}
            span.add_event(names.EVENT_FAULT_HIT, fault, timestamp=self.unix_ns(hit.at))
        if served.outcome is not Outcome.OK:
            span.set_attribute(names.ERROR_TYPE, served.outcome.value)
            span.set_status(Status(StatusCode.ERROR))
        if served.job is not None:
            self._children(span, served.job)
        span.end(end_time=self.unix_ns(served.ended))

    def _children(self, span: Span, job: Job) -> None:
        context = trace.set_span_in_context(span)
        previous = None
        for phase in job.phases:
            if phase.name == "queue" and previous is not None:
                span.add_event(names.EVENT_PREEMPTED, timestamp=self.unix_ns(phase.start))
            previous = phase
            child = self._tracer.start_span(
                _PHASE_SPANS[phase.name], context=context, start_time=self.unix_ns(phase.start)
            )
            child.end(end_time=self.unix_ns(phase.end))

    def _attributes(self, served: ServedRequest) -> dict[str, AttributeValue]:
        attributes = dict(self._replica_attributes)
        attributes[names.OUTCOME] = served.outcome.value
        attributes[names.SENT] = served.sent
        if served.status is not None:
            attributes[names.HTTP_STATUS] = served.status
        parsed, answer, job = served.parsed, served.answer, served.job
        if parsed is not None:
            attributes[names.REQUEST_MODEL] = parsed.model
            attributes[names.REQUEST_STREAM] = parsed.streaming
            if parsed.max_tokens is not None:
                attributes[names.REQUEST_MAX_TOKENS] = parsed.max_tokens
        if answer is not None:
            attributes[names.PROMPT_TOKENS] = answer.prompt_tokens
            if answer.offset:
                attributes[names.CONTINUATION_OFFSET] = answer.offset
            if answer.marker is not None:
                attributes[names.CONVERSATION_ID] = answer.marker.session
                attributes[names.AGENT_ID] = answer.marker.agent
                attributes[names.TURN] = answer.marker.turn
            if served.outcome is Outcome.OK:
                attributes[names.RESPONSE_FINISH_REASONS] = [answer.finish.value]
        if job is not None:
            attributes[names.PREFILL_CACHED] = job.cached_tokens
            attributes[names.PREFILL_COMPUTED] = job.computed_tokens
            attributes[names.DECODED] = job.produced
            attributes[names.PREEMPTIONS] = job.preemptions
        return attributes

    def unix_ns(self, at: float) -> int:
        """A time of the replica's monotonic clock, seconds, as unix nanoseconds."""
        return self._epoch_ns + round(at * 1e9)
