"""The load's spans, written with the OpenTelemetry API only (no SDK).

    invoke_agent {agent}        root of a trace: one logical call, and the tool that its answer asks for
     |- chat {model}            the logical call, including the client's retries
     |   '- POST                one per attempt
     '- execute_tool {tool}
    brownout.session            one per session, root of a trace of its own, written when the session ends

Start times, end times and parents are passed explicitly, because greenlets do not inherit a context. Spans contain no
prompts.
"""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue

from loadprofiles.client.attempt import Attempt
from loadprofiles.client.chunklog import encode
from loadprofiles.client.clock import unix_ns
from loadprofiles.client.records import AgentContext, CallRecord
from loadprofiles.retries.backoff import parse_retry_after_s
from loadprofiles.sessions.session import Call
from reports.shared import attributes as names
from reports.shared.attributes import Outcome

__all__ = [
    "end_attempt",
    "end_chat",
    "start_attempt",
    "start_chat",
    "start_tool",
    "start_turn",
    "traceparent",
    "write_session",
]

_tracer = trace.get_tracer("brownout.loadprofiles")
_ROOT = Context()


def start_turn(agent_name: str, call: Call, context: AgentContext, at_s: float) -> Span | None:
    """The root span of one agent turn; None if no tracer records, and then the turn gets no other spans."""
    span = _tracer.start_span(f"{names.SPAN_INVOKE_AGENT} {agent_name}", _ROOT, start_time=unix_ns(at_s))
    if not span.is_recording():
        return None
    span.set_attribute(names.OPERATION_NAME, "invoke_agent")
    span.set_attribute(names.AGENT_NAME, agent_name)
    span.set_attributes(_call_identity(call, context))
    return span


def start_chat(call: Call, context: AgentContext, turn: Span, at_s: float, *, model: str, provider: str) -> Span:
    """The span of a logical call."""
    given: dict[str, AttributeValue] = {
        names.OPERATION_NAME: "chat",
        names.PROVIDER_NAME: provider,
        names.REQUEST_MODEL: model,
        names.REQUEST_STREAM: call.stream,
        names.REQUEST_MAX_TOKENS: call.max_tokens,
        **_call_identity(call, context),
    }
    parent = trace.set_span_in_context(turn, _ROOT)
    return _tracer.start_span(f"{names.SPAN_CHAT} {model}", parent, SpanKind.CLIENT, given, start_time=unix_ns(at_s))


def end_chat(span: Span, record: CallRecord, model: str) -> None:
    """Ends the span of a logical call with its result.

    To keep spans small, `tokens.lost`, `.duplicated`, `.spliced` and `silently_truncated` are written only when not 0
    or false. On a provable call a missing one means 0 or false. The response model is written only when it is not the
    requested one.
    """
    found: dict[str, AttributeValue] = {
        names.OUTCOME: record.outcome,
        names.CALL_SCHEDULED_LATENESS: record.sent_s - record.scheduled_s,
        names.CALL_E2E: record.e2e_s,
        names.CALL_ATTEMPTS: record.attempts,
        names.TOKENS_RECEIVED: record.output_tokens,
    }
    for fault, kind in record.affected_by.items():
        span.add_event(names.EVENT_FAULT_HIT, {names.FAULT_ID: fault, names.FAULT_KIND: kind})
    ttft_s, answer, judgement = record.ttft_s, record.answer, record.judgement
    if record.status is not None:
        found[names.HTTP_STATUS] = record.status
    if record.message:
        found[names.ERROR_MESSAGE] = record.message
    if ttft_s is not None:
        found[names.CALL_TTFT] = found[names.RESPONSE_TTFC] = ttft_s
    if answer is not None:
        found[names.TERMINALS] = answer.terminals
        optional: tuple[tuple[str, AttributeValue | None], ...] = (
            (names.CALL_MAX_GAP, answer.max_gap_s),
            (names.TOKENS_ESTIMATED, True if record.tokens_estimated else None),
            (names.RESPONSE_MODEL, answer.model if answer.model != model else None),
            (names.RESPONSE_FINISH_REASONS, [answer.finish] if answer.finish else None),
            (names.USAGE_INPUT_TOKENS, answer.usage.input_tokens),
            (names.USAGE_OUTPUT_TOKENS, answer.usage.output_tokens),
            (names.USAGE_CACHED_TOKENS, answer.usage.cached_tokens),
        )
        found.update({name: value for name, value in optional if value is not None})
    if judgement is not None:
        integrity = judgement.integrity
        found[names.CALL_PROVABLE] = integrity is not None
        if integrity is not None:
            found[names.TOKENS_EXPECTED] = integrity.expected
            if judgement.tokens_lost:
                found[names.TOKENS_LOST] = judgement.tokens_lost
            if integrity.duplicated:
                found[names.TOKENS_DUPLICATED] = integrity.duplicated
            if integrity.spliced:
                found[names.TOKENS_SPLICED] = integrity.spliced
        if judgement.silently_truncated:
            found[names.SILENTLY_TRUNCATED] = True
    _end(span, record.outcome, found, record.ended_s)


def start_attempt(chat: Span, resends: int, at_s: float, address: tuple[str, int]) -> Span:
    """The span of one HTTP attempt to `address` (host, port). `resends`: earlier attempts of the same call."""
    given: dict[str, AttributeValue] = {
        names.HTTP_METHOD: "POST",
        names.SERVER_ADDRESS: address[0],
        names.SERVER_PORT: address[1],
    }
    if resends:
        given[names.HTTP_RESEND_COUNT] = resends
    parent = trace.set_span_in_context(chat, _ROOT)
    return _tracer.start_span(names.SPAN_ATTEMPT, parent, SpanKind.CLIENT, given, start_time=unix_ns(at_s))


def end_attempt(span: Span, attempt: Attempt) -> None:
    """Ends the span of an attempt with its result and the arrival times of its chunks."""
    found: dict[str, AttributeValue] = {names.OUTCOME: attempt.outcome}
    if attempt.status is not None:
        found[names.HTTP_STATUS] = attempt.status
    if attempt.message:
        found[names.ERROR_MESSAGE] = attempt.message
    if (
        attempt.headers
        and (asked_s := parse_retry_after_s(attempt.headers, unix_ns(attempt.ended_s) / 1e9)) is not None
    ):
        found[names.RETRY_AFTER] = asked_s
    if attempt.degraded is not None:
        found[names.DEGRADED] = attempt.degraded
    answer = attempt.answer
    if answer is not None and answer.chunk_times_s:
        found[names.CHUNKS] = encode(attempt.started_s, answer.chunk_times_s, answer.chunk_tokens)
    _end(span, attempt.outcome, found, attempt.ended_s)


def start_tool(turn: Span, tool: str, at_s: float) -> Span:
    """The span of a tool's run."""
    given = {names.OPERATION_NAME: "execute_tool", names.TOOL_NAME: tool}
    parent = trace.set_span_in_context(turn, _ROOT)
    return _tracer.start_span(f"{names.SPAN_EXECUTE_TOOL} {tool}", parent, attributes=given, start_time=unix_ns(at_s))


def write_session(given: dict[str, AttributeValue], started_s: float, ended_s: float) -> None:
    """Writes the span of a whole session, when the session has ended."""
    span = _tracer.start_span(names.SPAN_SESSION, _ROOT, start_time=unix_ns(started_s))
    if span.is_recording():
        span.set_attributes(given)
    span.end(unix_ns(ended_s))


def traceparent(span: Span) -> bytes:
    """The W3C header line that makes the target's spans children of this one."""
    context = span.get_span_context()
    return b"traceparent: 00-%032x-%016x-%02x\r\n" % (context.trace_id, context.span_id, context.trace_flags)


def _call_identity(call: Call, context: AgentContext) -> dict[str, AttributeValue]:
    identity: dict[str, AttributeValue] = {
        names.CONVERSATION_ID: context.session,
        names.AGENT_ID: call.agent,
        names.TURN: call.turn,
    }
    if context.tenant is not None:
        identity[names.TENANT] = context.tenant
    if context.tier:
        identity[names.TIER] = context.tier
    return identity


def _end(span: Span, outcome: Outcome, found: dict[str, AttributeValue], at_s: float) -> None:
    if outcome is not Outcome.OK:
        found[names.ERROR_TYPE] = outcome
        span.set_status(StatusCode.ERROR)
    span.set_attributes(found)
    span.end(unix_ns(at_s))
