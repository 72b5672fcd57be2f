"""The client's options, what it keeps per agent, and the record of one logical call."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html import escape
from urllib.parse import quote

from loadprofiles.client.answer import Answer
from loadprofiles.client.judge import Judgement
from loadprofiles.sessions.session import Call, CallResult, Message
from reports.shared.attributes import Outcome

__all__ = ["AgentContext", "CallRecord", "ClientOptions", "secrets_of"]

_SECRET_CHARS = 8
"""A shorter value of a header is not masked: it would mask ordinary words."""


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """Which endpoint a client calls, and how. Times in seconds.

    `retries` names a policy of `loadprofiles.retries`. `timeout_s` bounds each wait for bytes, as in the HTTP client
    inside the vendors' SDKs; `idle_s` replaces it after the response headers (None: no other bound). `provable`:
    whether the target's tokens can be checked; None: decided by the first answers (`judge.Provability`). `headers`:
    extra headers of every request, (name, value); they replace those of the API with the same name. `max_tokens_field`,
    `tools` and `stream_options`: for endpoints that refuse the usual fields of a request; `max_tokens_field` None:
    `max_tokens`, until the target refuses it and names `max_completion_tokens`.
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
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    max_tokens_field: str | None = None
    tools: bool = True
    stream_options: bool = True


@dataclass(slots=True)
class AgentContext:
    """What a client keeps for one agent between its calls.

    `tenant` and `tier` go into the API key unless the user configured one. `last_byte_s`: time of the last byte
    received, or of the last send if later. `encoded`: the conversation as last sent.
    """

    session: str
    agent: str
    tenant: str | None
    seed: int
    tier: str = ""
    last_byte_s: float = 0.0
    encoded: list[tuple[Message, bytes]] = field(default_factory=list)

    def on_bytes(self, at_s: float) -> None:
        """Records that bytes arrived at `at_s`."""
        self.last_byte_s = at_s


@dataclass(slots=True)
class CallRecord:
    """How a logical call went. Times are seconds on `clock.now_s`; the measures are those of `docs/measures.md`.

    `scheduled_s`: when it should have been sent. `answer` and `judgement`: of the last attempt, if its status was 2xx.
    `status`: of the last attempt; None without a response. `message`: why the call failed, in the target's own words
    where it said something (at most 200 characters, keys masked); "" for a good call. `affected_by`: the demand faults
    that changed this call, fault kinds by fault id.
    """

    call: Call
    scheduled_s: float
    sent_s: float
    ended_s: float = 0.0
    outcome: Outcome = Outcome.ABANDONED
    attempts: int = 0
    status: int | None = None
    message: str = ""
    answer: Answer | None = None
    judgement: Judgement | None = None
    affected_by: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """The answer is complete and correct."""
        return self.outcome is Outcome.OK

    @property
    def ttft_s(self) -> float | None:
        """First piece of the answer received - call sent, the client's retries included. None: nothing was received.

        A piece is text, reasoning, or any part of a tool call. A chunk that names only the role is none.
        """
        times = self.answer.chunk_times_s if self.answer is not None else None
        return times[0] - self.sent_s if times else None

    @property
    def e2e_s(self) -> float:
        """Last byte - call sent."""
        return self.ended_s - self.sent_s

    @property
    def output_tokens(self) -> int:
        """Tokens received: as checked, else as the target reported them, else an estimate (`token_estimate`)."""
        if self.answer is None:
            return 0
        if self.judgement is not None and self.judgement.integrity is not None:
            return self.judgement.integrity.received
        return self.answer.usage.output_tokens or sum(self.answer.chunk_tokens)

    @property
    def tokens_estimated(self) -> bool:
        """`output_tokens` is an estimate: tokens were received that were neither checked nor counted by the target."""
        checked = self.judgement is not None and self.judgement.integrity is not None
        reported = self.answer is not None and self.answer.usage.output_tokens
        return self.output_tokens > 0 and not checked and not reported

    @property
    def tpot_s(self) -> float | None:
        """(e2e - ttft) / (output tokens - 1); None below two tokens."""
        ttft, tokens = self.ttft_s, self.output_tokens
        return None if ttft is None or tokens < 2 else (self.e2e_s - ttft) / (tokens - 1)

    def result(self) -> CallResult:
        """The result that the agent gets."""
        answer = self.answer
        if answer is None:
            return CallResult(False, "", (), self.outcome)
        usage = answer.usage
        return CallResult(
            self.ok,
            answer.text,
            tuple(call.arguments for call in answer.tool_calls),
            self.outcome,
            usage.input_tokens,
            usage.cached_tokens,
            usage.output_tokens,
        )


def secrets_of(options: ClientOptions) -> tuple[str, ...]:
    """The texts of an endpoint's options that no message may contain: the API key, and values of extra headers.

    Also as HTML, URLs and JSON write them.
    """
    values = [value for _, value in options.headers] + ([options.api_key] if options.api_key else [])
    parts = {part for value in values for part in (value, *value.split()) if len(part) >= _SECRET_CHARS}
    forms = {form for part in parts for form in (part, escape(part), quote(part, safe=""), json.dumps(part)[1:-1])}
    return tuple(sorted(forms))
