"""The load's client: logical calls with the retries of a real client, true times, and proof of every token.

    call       one logical model call; the client's retries are inside it
    attempt    one HTTP request (`loadprofiles.client.attempt`)

A call is never taken for good on its status: see `loadprofiles.client.judge`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from random import Random

import gevent
from opentelemetry.trace import Span

from loadprofiles.client import call_spans
from loadprofiles.client.anthropic_wire import AnthropicWire
from loadprofiles.client.attempt import Attempt, Request, Sender
from loadprofiles.client.clock import now_s
from loadprofiles.client.connection import Connections, parse_endpoint, request_head
from loadprofiles.client.judge import Judgement, Provability
from loadprofiles.client.openai_wire import OpenAIWire
from loadprofiles.client.stream import Answer
from loadprofiles.client.wire import Wire
from loadprofiles.demand import DemandNow
from loadprofiles.demand.now import Touched
from loadprofiles.retries import POLICIES, CallRepeater, Failure, GiveUp, Retry
from loadprofiles.sessions.session import Call, CallResult, Message
from reports.shared.attributes import Outcome
from reports.shared.errors import UserError
from reports.shared.tenancy import key_of
from reports.shared.tokens import token_stream

__all__ = ["WIRES", "AgentContext", "CallRecord", "Client", "ClientOptions"]

WIRES: dict[str, Wire] = {"openai": OpenAIWire(), "anthropic": AnthropicWire()}
"""The APIs by the name that a configuration gives."""

_SYSTEM_MESSAGES_KEPT = 256


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """Where and how a client calls. Times in seconds.

    `retries` names a policy of `loadprofiles.retries`. `idle_s`: silence in an answer after which the client hangs up
    (None: only `timeout_s`, which bounds the whole attempt). `provable`: whether the target's tokens can be checked;
    None lets the target show it (`judge.Provability`).
    """

    url: str
    model: str
    api: str = "openai"
    retries: str = "openai-sdk"
    timeout_s: float = 600.0
    connect_timeout_s: float = 5.0
    idle_s: float | None = None
    api_key: str | None = field(default=None, repr=False)
    provable: bool | None = None
    allow_remote: bool = False


@dataclass(slots=True)
class AgentContext:
    """What a client keeps for one agent between its calls.

    `tenant` and `tier` go into the API key where the user has none of their own. `last_byte_s`: when anything last
    arrived for it (or when it last sent). `encoded`: the conversation as last sent.
    """

    session: str
    agent: str
    tenant: str | None
    seed: int
    tier: str = ""
    last_byte_s: float = 0.0
    encoded: list[tuple[Message, bytes]] = field(default_factory=list)

    def on_bytes(self, at_s: float) -> None:
        """Something arrived."""
        self.last_byte_s = at_s


@dataclass(slots=True)
class CallRecord:
    """How a logical call went. Times are seconds on `clock.now_s`; the measures are those of `docs/measures.md`.

    `scheduled_s`: when it should have been sent. `answer` and `judgement`: of the last attempt, if that got a 2xx.
    `touched`: the demand faults that changed how it was made, kinds by id.
    """

    call: Call
    scheduled_s: float
    sent_s: float
    ended_s: float = 0.0
    outcome: Outcome = Outcome.ABANDONED
    attempts: int = 0
    answer: Answer | None = None
    judgement: Judgement | None = None
    touched: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """The answer is complete and right."""
        return self.outcome is Outcome.OK

    @property
    def ttft_s(self) -> float | None:
        """First non-empty output token received - call sent, the client's retries included. None: never."""
        times = self.answer.chunk_times_s if self.answer is not None else None
        return times[0] - self.sent_s if times else None

    @property
    def e2e_s(self) -> float:
        """Last byte - call sent."""
        return self.ended_s - self.sent_s

    @property
    def output_tokens(self) -> int:
        """Tokens received: proved, else as the target reported them, else 4 characters each."""
        if self.answer is None:
            return 0
        if self.judgement is not None and self.judgement.integrity is not None:
            return self.judgement.integrity.received
        return self.answer.usage.output_tokens or sum(self.answer.chunk_tokens)

    @property
    def tpot_s(self) -> float | None:
        """(e2e - ttft) / (output tokens - 1); None below two tokens."""
        ttft, tokens = self.ttft_s, self.output_tokens
        return None if ttft is None or tokens < 2 else (self.e2e_s - ttft) / (tokens - 1)

    def result(self) -> CallResult:
        """What the agent is told."""
        answer = self.answer
        if answer is None:
            return CallResult(False, "", None, self.outcome)
        usage = answer.usage
        return CallResult(
            self.ok,
            answer.text,
            answer.arguments or None,
            self.outcome,
            usage.input_tokens,
            usage.cached_tokens,
            usage.output_tokens,
        )


class Client:
    """Calls one endpoint for any number of agents, each in its own greenlet, over pooled connections."""

    def __init__(self, options: ClientOptions, demand: DemandNow | None = None) -> None:
        """`demand`: what may change calls while it is on, by `clock.now_s`.

        Raises `UserError` for an unknown API or policy, or an endpoint that may not be called.
        """
        if options.api not in WIRES:
            raise UserError(f"unknown API {options.api!r}: one of {', '.join(sorted(WIRES))}")
        if options.retries not in POLICIES:
            raise UserError(f"unknown retry policy {options.retries!r}: one of {', '.join(sorted(POLICIES))}")
        self.options = options
        self.endpoint = parse_endpoint(options.url, options.allow_remote)
        self.wire = WIRES[options.api]
        self.demand = demand if demand is not None else DemandNow()
        self.holding = False
        """While it holds, a call that broke is not tried again, whatever the policy says."""
        self._policy = POLICIES[options.retries]
        self._connections = Connections(self.endpoint, options.connect_timeout_s)
        self._sender = Sender(
            self._connections, self.wire, Provability(options.provable), options.timeout_s, options.idle_s
        )
        self._head = self._head_with(options.api_key)
        self._tenant_heads: dict[tuple[str, str], bytes] = {}
        self._system: dict[int, tuple[Message, bytes]] = {}

    def close(self) -> None:
        """Closes idle connections."""
        self._connections.close()

    def call(self, call: Call, context: AgentContext, scheduled_s: float, turn: Span | None = None) -> CallRecord:
        """Makes a logical call, and waits for its end. `turn`: the span it belongs to, None where nothing records.

        If the greenlet is killed, the record's spans end as `abandoned`, and the exception goes on.
        """
        touched: Touched = {}
        call = self.demand.change(call, touched, now_s())
        body = self.wire.body(call, self._encoded(call, context), self.options.model, context.session)
        expected = token_stream(call.marker.key, call.max_tokens)
        sent_s = context.last_byte_s = now_s()
        record = CallRecord(call, scheduled_s, sent_s, touched=touched)
        chat = call_spans.start_chat(self, call, context, turn, sent_s) if turn is not None else None
        try:
            self._attempts(self._head_for(context), body, expected, record, context, chat)
        finally:
            if record.outcome is Outcome.ABANDONED:
                record.ended_s = now_s()
            if chat is not None:
                call_spans.end_chat(chat, record, self.options.model)
        return record

    def repeat_after_s(self, repeats_taken: int) -> float | None:
        """After a call broke, `repeats_taken` + 1 times by now: when its agent makes it again, None for never."""
        if self.holding or not isinstance(self._policy, CallRepeater):
            return None
        decision = self._policy.repeat(repeats_taken)
        return decision.after_s if isinstance(decision, Retry) else None

    def _attempts(
        self, head: bytes, body: bytes, expected: str, record: CallRecord, context: AgentContext, chat: Span | None
    ) -> None:
        rng: Random | None = None
        while True:
            attempt = Attempt(record.sent_s if not record.attempts else now_s())
            span = (
                call_spans.start_attempt(self, chat, record.attempts, attempt.started_s) if chat is not None else None
            )
            trace_parent = call_spans.traceparent(span) if span is not None else b""
            content = b"%bContent-Length: %d\r\n%b\r\n%b" % (head, len(body), trace_parent, body)
            record.attempts += 1
            habit = self.demand.habit(record.touched, attempt.started_s)
            timeout_s = habit.timeout_s if habit is not None else None
            request = Request(content, record.call.stream, expected, timeout_s)
            try:
                self._sender.run(request, attempt, context.on_bytes)
            finally:
                record.ended_s = attempt.ended_s
                record.outcome, record.answer, record.judgement = attempt.outcome, attempt.answer, attempt.judgement
                if span is not None:
                    call_spans.end_attempt(span, attempt)
            if attempt.outcome is Outcome.OK:
                return
            if rng is None:
                rng = Random(f"{context.seed}/{record.call.marker.key}/retries")
            error = (attempt.answer.error or "") if attempt.answer is not None else ""
            failure = Failure(attempt.status, attempt.transport, record.call.stream, attempt.headers, error)
            habit = self.demand.habit(record.touched, attempt.ended_s)
            policy = POLICIES[habit.retries] if habit is not None else self._policy
            decision = policy.decide(record.attempts - 1, failure, time.time(), rng)
            if isinstance(decision, GiveUp) or self.holding:
                return
            record.outcome = Outcome.ABANDONED  # if it is killed in its sleep
            gevent.sleep(decision.after_s)

    def _head_for(self, context: AgentContext) -> bytes:
        """The constant part of the head: with the user's key, or one that names the session's tenant."""
        if context.tenant is None or self.options.api_key is not None:
            return self._head
        account = (context.tenant, context.tier)
        head = self._tenant_heads.get(account)
        if head is None:
            head = self._tenant_heads[account] = self._head_with(key_of(*account))
        return head

    def _head_with(self, api_key: str | None) -> bytes:
        agent = ("User-Agent", "brownout-loadgen")
        accept = ("Accept", "text/event-stream, application/json")
        return request_head(self.endpoint, self.wire.path, [agent, accept, *self.wire.headers(api_key)])

    def _encoded(self, call: Call, context: AgentContext) -> list[bytes]:
        """Every message of the call, each encoded once: a conversation only grows, or is compacted."""
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
            if len(self._system) >= _SYSTEM_MESSAGES_KEPT:
                self._system.clear()
            kept = self._system[id(message)] = (message, self.wire.encode_message(message))
        return kept[1]
