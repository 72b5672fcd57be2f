"""The load's client: logical calls with the retries of a real client, measured times, and every token checked.

    call       one logical model call; the client's retries are inside it
    attempt    one HTTP request (`loadprofiles.client.attempt`)

A 2xx status alone does not make a call `ok`: see `loadprofiles.client.judge`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from random import Random

import gevent
from opentelemetry.trace import Span

from loadprofiles.client import call_spans
from loadprofiles.client.anthropic_wire import AnthropicWire
from loadprofiles.client.attempt import Attempt, Request, Sender
from loadprofiles.client.clock import now_s
from loadprofiles.client.connection import Connections, request_head
from loadprofiles.client.endpoint import is_key_header, parse_endpoint
from loadprofiles.client.judge import Provability
from loadprofiles.client.model_list import MODELS_PATH, listed_models
from loadprofiles.client.openai_wire import OpenAIWire
from loadprofiles.client.records import AgentContext, CallRecord, ClientOptions, secrets_of
from loadprofiles.client.wire import RequestFields, Wire
from loadprofiles.demand import ActiveDemand
from loadprofiles.demand.active import AffectedBy
from loadprofiles.retries import POLICIES, CallRepeater, Failure, GiveUp, Retry
from loadprofiles.sessions.session import Call, Message
from reports.shared.attributes import Outcome
from reports.shared.errors import UserError
from reports.shared.tenancy import key_of
from reports.shared.tokens import token_stream

__all__ = ["WIRES", "Client"]

WIRES: dict[str, Wire] = {"openai": OpenAIWire(), "anthropic": AnthropicWire()}
"""The APIs by their names in a configuration."""

_MAX_CACHED_SYSTEM_MESSAGES = 256
_NEW_FIELD = "max_completion_tokens"


class Client:
    """Calls one endpoint for any number of agents, each in its own greenlet, over pooled connections."""

    def __init__(self, options: ClientOptions, demand: ActiveDemand | None = None) -> None:
        """`demand`: the demand faults that change calls while they are active, timed by `clock.now_s`.

        Raises `UserError` for an unknown API or policy, or an endpoint that may not be called.
        """
        if options.api not in WIRES:
            raise UserError(f"unknown API {options.api!r}: one of {', '.join(sorted(WIRES))}")
        if options.retries not in POLICIES:
            raise UserError(f"unknown retry policy {options.retries!r}: one of {', '.join(sorted(POLICIES))}")
        self.options = options
        self.endpoint = parse_endpoint(options.url, options.allow_remote)
        self.wire = WIRES[options.api]
        self.demand = demand if demand is not None else ActiveDemand()
        self.holding = False
        """True: no failed call is retried, whatever the policy decides."""
        self._policy = POLICIES[options.retries]
        self._connections = Connections(self.endpoint, options.connect_timeout_s)
        self._sender = Sender(
            self._connections,
            self.wire,
            Provability(options.provable),
            options.timeout_s,
            options.idle_s,
            secrets_of(options),
        )
        field = options.max_tokens_field or "max_tokens"
        self._fields = RequestFields(options.model, field, options.tools, options.stream_options)
        self._head = self._head_with(options.api_key)
        self._has_key = options.api_key is not None or any(is_key_header(name) for name, _ in options.headers)
        self._tenant_heads: dict[tuple[str, str], bytes] = {}
        self._system: dict[int, tuple[Message, bytes]] = {}

    def close(self) -> None:
        """Closes idle connections."""
        self._connections.close()

    def call(self, call: Call, context: AgentContext, scheduled_s: float, turn: Span | None = None) -> CallRecord:
        """Makes a logical call and returns its record. `turn`: the parent span; None: no spans are recorded.

        If the greenlet is killed, the call's spans end as `abandoned` and the exception propagates.
        """
        affected_by: AffectedBy = {}
        call = self.demand.change_call(call, affected_by, now_s())
        encoded = self._encoded(call, context)

        def body() -> bytes:
            return self.wire.encode_body(call, encoded, self._fields, context.session)

        expected = token_stream(call.marker.key, call.max_tokens)
        sent_s = context.last_byte_s = now_s()
        record = CallRecord(call, scheduled_s, sent_s, affected_by=affected_by)
        chat = None
        if turn is not None:
            model, provider = self.options.model, self.wire.provider
            chat = call_spans.start_chat(call, context, turn, sent_s, model=model, provider=provider)
        try:
            self._attempts(self._head_for(context), body, expected, record, context, chat)
        finally:
            if record.outcome is Outcome.ABANDONED:
                record.ended_s = now_s()
            if chat is not None:
                call_spans.end_chat(chat, record, self.options.model)
        return record

    def repeat_after_s(self, repeats_taken: int) -> float | None:
        """Seconds until the agent repeats a call that has now failed `repeats_taken` + 1 times; None: it does not."""
        if self.holding or not isinstance(self._policy, CallRepeater):
            return None
        decision = self._policy.repeat(repeats_taken)
        return decision.after_s if isinstance(decision, Retry) else None

    def _attempts(
        self,
        head: bytes,
        encode: Callable[[], bytes],
        expected: str,
        record: CallRecord,
        context: AgentContext,
        chat: Span | None,
    ) -> None:
        rng: Random | None = None
        body, sent = encode(), self._fields
        while True:
            attempt = Attempt(record.sent_s if not record.attempts else now_s())
            span = None
            if chat is not None:
                address = (self.endpoint.host, self.endpoint.port)
                span = call_spans.start_attempt(chat, record.attempts, attempt.started_s, address)
            trace_parent = call_spans.traceparent(span) if span is not None else b""
            content = b"%bContent-Length: %d\r\n%b\r\n%b" % (head, len(body), trace_parent, body)
            record.attempts += 1
            override = self.demand.override(record.affected_by, attempt.started_s)
            timeout_s = override.timeout_s if override is not None else None
            request = Request(content, record.call.stream, expected, timeout_s)
            try:
                self._sender.run(request, attempt, context.on_bytes)
            finally:
                record.ended_s = attempt.ended_s
                record.outcome, record.answer, record.judgement = attempt.outcome, attempt.answer, attempt.judgement
                record.status, record.message = attempt.status, attempt.message
                if span is not None:
                    call_spans.end_attempt(span, attempt)
            if attempt.outcome is Outcome.OK:
                return
            if self._learns_field(attempt, sent):
                body, sent = encode(), self._fields
                continue
            if rng is None:
                rng = Random(f"{context.seed}/{record.call.marker.key}/retries")
            error = (attempt.answer.error or "") if attempt.answer is not None else ""
            failure = Failure(attempt.status, attempt.transport, record.call.stream, attempt.headers, error)
            override = self.demand.override(record.affected_by, attempt.ended_s)
            policy = POLICIES[override.retries] if override is not None else self._policy
            decision = policy.decide(record.attempts - 1, failure, time.time(), rng)
            if isinstance(decision, GiveUp) or self.holding:
                return
            record.outcome = Outcome.ABANDONED  # applies if the greenlet is killed during the sleep
            gevent.sleep(decision.after_s)

    def _learns_field(self, attempt: Attempt, sent: RequestFields) -> bool:
        """Whether the target refused the `max_tokens` that was sent and named its successor, used from now on."""
        if self.options.max_tokens_field is not None or sent.max_tokens_field == _NEW_FIELD:
            return False
        if attempt.outcome is not Outcome.HTTP_4XX or _NEW_FIELD.encode() not in attempt.error_body:
            return False
        self._fields = replace(self._fields, max_tokens_field=_NEW_FIELD)
        return True

    def _head_for(self, context: AgentContext) -> bytes:
        """The constant part of the head, with the user's API key or else a key that names the session's tenant."""
        if context.tenant is None or self._has_key:
            return self._head
        account = (context.tenant, context.tier)
        head = self._tenant_heads.get(account)
        if head is None:
            head = self._tenant_heads[account] = self._head_with(key_of(*account))
        return head

    def models(self, within_s: float) -> list[str]:
        """The models that the endpoint lists; none where it does not list them within `within_s` seconds."""
        head = self._head_with(self.options.api_key, MODELS_PATH, "GET")
        return listed_models(self._connections, head, within_s)

    def _head_with(self, api_key: str | None, path: str = "", method: str = "POST") -> bytes:
        agent = ("User-Agent", "brownout-loadgen")
        accept = ("Accept", "text/event-stream, application/json")
        plain = ("Accept-Encoding", "identity")
        given = {name.lower() for name, _ in self.options.headers}
        usual = [agent, accept, plain, *self.wire.headers(api_key)]
        headers = [(name, value) for name, value in usual if name.lower() not in given]
        return request_head(self.endpoint, path or self.wire.path, [*headers, *self.options.headers], method)

    def _encoded(self, call: Call, context: AgentContext) -> list[bytes]:
        """Every message of the call, encoded. Messages that an earlier call of the agent sent are not encoded again."""
        known = context.encoded
        for place, message in enumerate(call.messages):
            if place < len(known):
                if known[place][0] is message or known[place][0] == message:
                    continue
                del known[place:]
            known.append((message, self._encode(message)))
        del known[len(call.messages) :]
        return [encoded for _, encoded in known]

    def _encode(self, message: Message) -> bytes:
        if message.role != "system":
            return self.wire.encode_message(message)
        kept = self._system.get(id(message))
        if kept is None:
            if len(self._system) >= _MAX_CACHED_SYSTEM_MESSAGES:
                self._system.clear()
            kept = self._system[id(message)] = (message, self.wire.encode_message(message))
        return kept[1]
