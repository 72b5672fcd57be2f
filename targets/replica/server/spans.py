"""The spans of a request: what it was, where it spent its time, which faults it met, how it ended.

Only OpenTelemetry's API is used; without an SDK, or where a trace is not sampled, nothing is done. A request's span is
begun when it comes; its children (queue, prefill, decode) are written at its end, from the engine's times.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from reports.shared import attributes as names
from reports.shared.attributes import Outcome
from targets.replica.api.conversation import Answer, Ask
from targets.replica.behaviours.visit import Visit
from targets.replica.delivery.driver import Job
from targets.replica.server.config import ReplicaConfig

__all__ = ["Served", "Spans", "outcome_of_status"]

_PHASE_SPANS: Final = {
    "queue": names.SPAN_REPLICA_QUEUE,
    "prefill": names.SPAN_REPLICA_PREFILL,
    "decode": names.SPAN_REPLICA_DECODE,
}


@dataclass(slots=True)
class Served:
    """What there is to say about one request at its end. Times are the replica's monotonic seconds."""

    arrived: float
    visit: Visit = field(default_factory=lambda: Visit(""))
    ask: Ask | None = None
    answer: Answer | None = None
    job: Job | None = None
    sent: int = 0
    status: int | None = None  # None: no headers went out
    outcome: Outcome = Outcome.ABANDONED
    ended: float = 0.0


class Spans:
    """Makes the spans of one replica."""

    def __init__(self, config: ReplicaConfig, tracer: Tracer | None = None) -> None:
        self._tracer = tracer or trace.get_tracer("brownout.targets.replica")
        self._propagator = TraceContextTextMapPropagator()
        # Durations are monotonic; wall time is anchored once.
        self._epoch_ns = time.time_ns() - time.monotonic_ns()
        self._who: dict[str, AttributeValue] = {names.REPLICA: config.name, names.POOL: config.pool}
        if config.cloud:
            self._who[names.CLOUD] = config.cloud

    def begin(self, headers: Mapping[str, str], at: float) -> Span | None:
        """The span of a request that came `at`; None where nobody would see it."""
        parent = headers.get("traceparent")
        context = None
        if parent is not None:
            carrier = {"traceparent": parent}
            if (state := headers.get("tracestate")) is not None:
                carrier["tracestate"] = state
            context = self._propagator.extract(carrier)
        span = self._tracer.start_span(
            names.SPAN_REPLICA_REQUEST, context=context, kind=SpanKind.SERVER, start_time=self._ns(at)
        )
        return span if span.is_recording() else None

    def end(self, span: Span, served: Served) -> None:
        """Write everything down."""
        span.set_attributes(self._attributes(served))
        for hit in served.visit.hits:
            fault = {names.FAULT_ID: hit.fault_id, names.FAULT_KIND: hit.kind}
            span.add_event(names.EVENT_FAULT_HIT, fault, timestamp=self._ns(hit.at))
        if served.outcome is not Outcome.OK:
            span.set_attribute(names.ERROR_TYPE, served.outcome.value)
            span.set_status(Status(StatusCode.ERROR))
        if served.job is not None:
            self._children(span, served.job)
        span.end(end_time=self._ns(served.ended))

    def _children(self, span: Span, job: Job) -> None:
        context = trace.set_span_in_context(span)
        previous = None
        for phase in job.phases:
            if phase.name == "queue" and previous is not None:
                span.add_event(names.EVENT_PREEMPTED, timestamp=self._ns(phase.start))
            previous = phase
            child = self._tracer.start_span(_PHASE_SPANS[phase.name], context=context, start_time=self._ns(phase.start))
            child.end(end_time=self._ns(phase.end))

    def _attributes(self, served: Served) -> dict[str, AttributeValue]:
        found = dict(self._who)
        found[names.OUTCOME] = served.outcome.value
        found[names.SENT] = served.sent
        if served.status is not None:
            found[names.HTTP_STATUS] = served.status
        ask, answer, job = served.ask, served.answer, served.job
        if ask is not None:
            found[names.REQUEST_MODEL] = ask.model
            found[names.REQUEST_STREAM] = ask.streaming
            if ask.max_tokens is not None:
                found[names.REQUEST_MAX_TOKENS] = ask.max_tokens
        if answer is not None:
            found[names.PROMPT_TOKENS] = answer.prompt_tokens
            if answer.offset:
                found[names.CONTINUATION_OFFSET] = answer.offset
            if answer.marker is not None:
                found[names.CONVERSATION_ID] = answer.marker.session
                found[names.AGENT_ID] = answer.marker.agent
                found[names.TURN] = answer.marker.turn
            if served.outcome is Outcome.OK:
                found[names.RESPONSE_FINISH_REASONS] = [answer.finish.value]
        if job is not None:
            found[names.PREFILL_CACHED] = job.cached_tokens
            found[names.PREFILL_COMPUTED] = job.computed_tokens
            found[names.DECODED] = job.produced
            found[names.PREEMPTIONS] = job.preemptions
        return found

    def _ns(self, at: float) -> int:
        return self._epoch_ns + round(at * 1e9)


def outcome_of_status(status: int) -> Outcome:
    """The outcome of a request that was answered with a status."""
    if status < 400:
        return Outcome.OK
    if status == 429:
        return Outcome.RATE_LIMITED
    return Outcome.HTTP_4XX if status < 500 else Outcome.HTTP_5XX
