"""Joins the spans of client, gateway and replicas into calls.

A gateway's or a replica's span belongs to a call by trace context where that was propagated; else by time and by
session, agent and turn, which are in the conversation itself. `Calls.joined` counts the calls joined each way.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any, Final

from reports.history.calls import (
    SILENT_S,
    Attempt,
    Call,
    Calls,
    ClientAttempt,
    ReplicaRequest,
    Session,
    is_good,
    phase_at,
    slo_phase,
)
from reports.history.upstream import attempts_of, availability_changes, lost_requests
from reports.record.chunklog import decode
from reports.record.reader import Record
from reports.record.spans import Span
from reports.shared import attributes as names
from reports.shared.attributes import Outcome, SessionOutcome
from reports.shared.errors import RecordError

__all__ = ["join_calls"]

_SLACK_S: Final = 0.25
"""Tolerance of a join by time, seconds: the clocks of processes differ."""


def join_calls(record: Record) -> Calls:
    """Join the record's spans into calls and sessions."""
    sorter = _Sorter(record)
    calls = sorter.calls()
    joined = sorter.attach(calls)
    slo = record.slo
    fault = record.phase("fault")
    for call in calls:
        call.phase = phase_at(record.phases, call.sent_s)
        call.slo_phase = slo_phase(record.phases, call.sent_s, call.end_s, fault)
        call.good = is_good(call, slo)
        _set_replica(call)
    return Calls(
        calls=calls,
        sessions=_sessions(record, calls, sorter.session_spans),
        transitions=sorter.transitions,
        unjoined_attempts=sorter.unjoined_attempts,
        unjoined_requests=sorter.unjoined_requests,
        joined=joined,
        has_gateway=sorter.has_gateway,
        has_replicas=bool(sorter.replica_requests) or record.foreign_gateway,
        has_chunks=any(attempt.chunks for call in calls for attempt in call.client_attempts),
        bad_chunk_logs=sorter.bad_chunk_logs,
    )


def _set_replica(call: Call) -> None:
    """Set pool and replica of the call to the last that served it: from the gateway's attempts, else from replicas.

    An attempt that ended ok comes before one that only passed on tokens: a hedge that was given up may have done that.
    """
    carried = [a for a in call.attempts if a.ok] or [a for a in call.attempts if a.passed_on] or call.attempts
    if carried:
        attempt = max(carried, key=lambda a: a.start_s)
        call.pool, call.replica = attempt.pool, attempt.replica
    elif call.replica_requests:
        request = max(call.replica_requests, key=lambda r: r.start_s)
        call.pool, call.replica = request.pool, request.replica


class _Sorter:
    """Sorts the spans by kind in one pass, then joins them."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._seconds = record.seconds
        self._pool_of = {replica.name: replica.pool for replica in record.replicas}
        self.chats: list[Span] = []
        self.client_posts: list[Span] = []
        self.gateway_requests: list[Span] = []
        self.gateway_attempts: list[Span] = []
        self.replica_requests: list[Span] = []
        self.session_spans: dict[str, Span] = {}
        self.transitions: list[Span] = []
        self._queued_s: dict[bytes, float] = {}
        self.unjoined_attempts: list[Attempt] = []
        self.unjoined_requests: list[ReplicaRequest] = []
        self.bad_chunk_logs = 0
        self._by_id: dict[bytes, Span] = {}
        for span in record.spans:
            name = span.name
            if name == names.SPAN_ATTEMPT:
                (self.gateway_attempts if span.service == names.SERVICE_GATEWAY else self.client_posts).append(span)
            elif name == names.SPAN_REPLICA_REQUEST:
                self.replica_requests.append(span)
            elif name == names.SPAN_GATEWAY_REQUEST:
                self.gateway_requests.append(span)
            elif name == names.SPAN_SESSION:
                self.session_spans[str(span.attributes.get(names.CONVERSATION_ID, span.trace_id.hex()))] = span
                continue
            elif name == names.SPAN_GATEWAY_TRANSITION:
                self.transitions.append(span)
                continue
            elif name == names.SPAN_REPLICA_QUEUE:
                waited = (span.end_ns - span.start_ns) / 1e9
                self._queued_s[span.parent_id] = self._queued_s.get(span.parent_id, 0.0) + waited
                continue
            elif name == names.SPAN_CHAT or name.startswith("chat "):
                self.chats.append(span)
            else:
                continue
            self._by_id[span.span_id] = span
        self.transitions.sort(key=lambda span: span.start_ns)
        self.has_gateway = bool(self.gateway_attempts or self.gateway_requests)
        if not self.has_gateway:
            self.replica_requests += lost_requests(record, self.replica_requests)
            self.transitions += availability_changes(record)

    def calls(self) -> list[Call]:
        """One call per chat span, in the order sent."""
        return [self._call(span) for span in sorted(self.chats, key=lambda span: span.start_ns)]

    def _call(self, span: Span) -> Call:
        attributes = span.attributes
        sent, end = self._seconds(span.start_ns), self._seconds(span.end_ns)
        e2e = float(attributes.get(names.CALL_E2E, end - sent))
        ttft = float(attributes.get(names.CALL_TTFT, math.inf))
        tokens = int(attributes.get(names.TOKENS_RECEIVED, attributes.get(names.USAGE_OUTPUT_TOKENS, 0)) or 0)
        return Call(
            span=span,
            session=str(attributes.get(names.CONVERSATION_ID, span.trace_id.hex())),
            agent=str(attributes.get(names.AGENT_ID, "main")),
            turn=int(attributes.get(names.TURN, 0)),
            tenant=str(attributes.get(names.TENANT, "")),
            tier=str(attributes.get(names.TIER, "")),
            sent_s=sent,
            end_s=end,
            outcome=str(attributes.get(names.OUTCOME, Outcome.CORRUPT if span.error else Outcome.OK)),
            ttft_s=ttft,
            e2e_s=e2e,
            max_gap_s=float(attributes.get(names.CALL_MAX_GAP, math.nan)),
            tpot_s=(e2e - ttft) / (tokens - 1) if tokens > 1 and math.isfinite(ttft) else math.nan,
            lateness_s=max(0.0, float(attributes.get(names.CALL_SCHEDULED_LATENESS, 0.0))),
            tokens=tokens,
            hits=_hits(span),
        )

    def attach(self, calls: list[Call]) -> dict[str, int]:
        """Add each attempt and request to its call; return the number of calls joined each way."""
        by_chat = {call.span.span_id: call for call in calls}
        by_key: dict[tuple[str, str, int], list[Call]] = defaultdict(list)
        for call in calls:
            by_key[call.key].append(call)
        place_of: dict[bytes, tuple[Call, int]] = {}
        for span in sorted(self.client_posts, key=lambda span: span.start_ns):
            found = by_chat.get(span.parent_id)
            if found is not None:
                place_of[span.span_id] = (found, len(found.client_attempts))
                found.client_attempts.append(self._client_attempt(span))
        for span in sorted(self.gateway_requests, key=lambda span: span.start_ns):
            place = place_of.get(span.parent_id) or self._place(span, by_chat, by_key)
            if place is not None:
                place_of[span.span_id] = place
                place[0].gateway_requests.append(span)
                place[0].hits += _hits(span)
                self._mark(place[0], span.parent_id in place_of or span.parent_id in by_chat)
        for span in sorted(self.gateway_attempts, key=lambda span: span.start_ns):
            attempt = self._attempt(span)
            place = place_of.get(span.parent_id) or self._place(span, by_chat, by_key)
            if place is None:
                self.unjoined_attempts.append(attempt)
                continue
            place_of[span.span_id] = place
            attempt.client_attempt = place[1]
            place[0].attempts.append(attempt)
        places: dict[int, list[int]] = defaultdict(list)
        for span in sorted(self.replica_requests, key=lambda span: span.start_ns):
            request = self._replica_request(span)
            place = place_of.get(span.parent_id)
            if place is not None and not self.has_gateway and _key(span) not in (None, place[0].key):
                place = None  # the gateway sent the trace context of another call: the conversation decides
            traced = place is not None
            place = place or self._place(span, by_chat, by_key, late=not self.has_gateway)
            if place is None:
                self.unjoined_requests.append(request)
                continue
            place[0].replica_requests.append(request)
            places[id(place[0])].append(place[1])
            self._mark(place[0], traced)
        if not self.has_gateway:
            for call in calls:
                call.attempts = attempts_of(self._record, call, places[id(call)])
        counts = {"trace": 0, "key": 0, "none": 0}
        for call in calls:
            counts[call.joined] += 1
        return counts

    @staticmethod
    def _mark(call: Call, traced: bool) -> None:
        if call.joined != "key":
            call.joined = "trace" if traced else "key"

    def _place(
        self,
        span: Span,
        by_chat: dict[bytes, Call],
        by_key: dict[tuple[str, str, int], list[Call]],
        *,
        late: bool = False,
    ) -> tuple[Call, int] | None:
        """Call and client attempt of a span: by its parent, else by session, agent, turn and time.

        `late`: it may have begun after the call had ended.
        """
        call = by_chat.get(span.parent_id)
        if call is None:
            key, start = _key(span), self._seconds(span.start_ns)
            sent = [c for c in by_key.get(key, ()) if c.sent_s - _SLACK_S <= start] if key is not None else []
            call = next((c for c in reversed(sent) if late or start <= c.end_s + _SLACK_S), None)
        if call is None:
            return None
        start = self._seconds(span.start_ns)
        before = sum(1 for attempt in call.client_attempts if attempt.start_s <= start + _SLACK_S / 10)
        return call, max(0, before - 1)

    def _client_attempt(self, span: Span) -> ClientAttempt:
        start = self._seconds(span.start_ns)
        log = span.attributes.get(names.CHUNKS)
        chunks: list[tuple[float, int]] = []
        if isinstance(log, bytes):
            try:
                chunks = [(start + at, tokens) for at, tokens in decode(log)]
            except RecordError:
                self.bad_chunk_logs += 1
        return ClientAttempt(
            span, start, self._seconds(span.end_ns), str(span.attributes.get(names.OUTCOME, "")), chunks
        )

    def _attempt(self, span: Span) -> Attempt:
        attributes = span.attributes
        replica = str(attributes.get(names.REPLICA, ""))
        return Attempt(
            span,
            replica,
            self._pool(attributes, replica),
            self._seconds(span.start_ns),
            self._seconds(span.end_ns),
            str(attributes.get(names.OUTCOME, "")),
            str(attributes.get(names.ATTEMPT_REASON, "first")),
            int(attributes.get(names.CONTINUATION_OFFSET, 0)),
            int(attributes.get(names.TOKENS_PASSED_ON, 0)),
        )

    def _replica_request(self, span: Span) -> ReplicaRequest:
        attributes = span.attributes
        replica = str(attributes.get(names.REPLICA) or span.instance.rpartition("#")[0])
        prompt = attributes.get(names.PROMPT_TOKENS)
        return ReplicaRequest(
            span,
            replica,
            self._pool(attributes, replica),
            self._seconds(span.start_ns),
            self._seconds(span.end_ns),
            None if prompt is None else int(prompt),
            int(attributes.get(names.PREFILL_COMPUTED, 0)),
            int(attributes.get(names.DECODED, 0)),
            _hits(span),
            self._queued_s.get(span.span_id),
        )

    def _pool(self, attributes: dict[str, Any], replica: str) -> str:
        return str(attributes.get(names.POOL) or attributes.get(names.PEER_NAME) or self._pool_of.get(replica, ""))


def _key(span: Span) -> tuple[str, str, int] | None:
    """The key of the call that the span's conversation is of; None without a marker."""
    attributes = span.attributes
    if names.CONVERSATION_ID not in attributes:
        return None
    return (
        str(attributes[names.CONVERSATION_ID]),
        str(attributes.get(names.AGENT_ID, "main")),
        attributes.get(names.TURN, 0),
    )


def _hits(span: Span) -> tuple[str, ...]:
    return tuple(str(event.attributes.get(names.FAULT_ID)) for event in span.event(names.EVENT_FAULT_HIT))


def _sessions(record: Record, calls: list[Call], spans: dict[str, Span]) -> list[Session]:
    grouped: dict[str, list[Call]] = {session: [] for session in spans}
    for call in calls:
        grouped.setdefault(call.session, []).append(call)
    sessions = [_session(record, session, own_calls, spans.get(session)) for session, own_calls in grouped.items()]
    return sorted(sessions, key=lambda session: (session.start_s, session.id))


def _session(record: Record, session: str, calls: list[Call], span: Span | None) -> Session:
    attributes = span.attributes if span is not None else {}
    start = calls[0].sent_s if calls else record.seconds(span.start_ns) if span else 0.0
    end = max((call.end_s for call in calls), default=start)
    last_tries = {call.key: call for call in calls}.values()  # an agent may have repeated a broken call
    failed = next((call for call in last_tries if not call.ok and call.outcome != Outcome.ABANDONED), None)
    outcome = str(attributes.get(names.SESSION_OUTCOME, SessionOutcome.UNFINISHED))
    because = str(attributes.get(names.SESSION_LOST_BECAUSE) or "")
    if failed is not None:
        outcome, because = SessionOutcome.LOST, because or failed.outcome
    elif outcome == SessionOutcome.UNFINISHED and float(attributes.get(names.SESSION_LAST_BYTE_AGE, 0.0)) >= SILENT_S:
        outcome, because = SessionOutcome.LOST, because or "silent"
    return Session(
        session,
        str(attributes.get(names.TENANT) or (calls[0].tenant if calls else "")),
        start,
        end,
        phase_at(record.phases, start),
        outcome,
        because if outcome == SessionOutcome.LOST else "",
        float(attributes.get(names.SESSION_LATENESS, 0.0)),
        calls,
        str(attributes.get(names.FAULT_ID, "")),
        str(attributes.get(names.TIER) or (calls[0].tier if calls else "")),
        failed,
        phase_at(record.phases, failed.end_s if failed is not None else end) if outcome == SessionOutcome.LOST else "",
    )
