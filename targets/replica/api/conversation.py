"""From a request's messages to what the engine and the answer need: pure, and the same for every API.

The canonical text of a conversation is what a chat template would make of it: tools, then message after message, each
behind a header that names its role. It is built so that the text of *this* prompt and its answer is a prefix of the
*next* turn's prompt, which holds the answer as an assistant message: so the prefix cache hits. For that every header
starts at a multiple of 4 characters, tool calls are written by name and compact arguments, and ids (which are new in
each response) are left out.

    parse (openai_api, anthropic_api) -> Ask -> plan_answer -> Answer -> EngineRequest, token by token on the wire
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec

from reports.shared.draws import bits, uniform
from reports.shared.tokens import TOKEN_CHARS, Marker, find_marker, text_key, token_stream, tokens_in

__all__ = [
    "BLOCK_TOKENS",
    "Answer",
    "Ask",
    "ContextLengthError",
    "Finish",
    "Toolbox",
    "block_hashes",
    "call_text",
    "canonical_text",
    "natural_tokens",
    "plan_answer",
    "toolbox",
]

BLOCK_TOKENS: Final = 16
"""Tokens of a KV block; a block is hashed as a whole."""

ASSISTANT: Final = "assistant"
ARGUMENTS_OPEN: Final = '{"input":"'
ARGUMENTS_CLOSE: Final = '"}'
_BLOCK_CHARS: Final = BLOCK_TOKENS * TOKEN_CHARS
_MOST_CALL_TOKENS: Final = 8
_PADS: Final = ("", "   ", "  ", " ")  # by length modulo 4: what fills the last token up


class ContextLengthError(ValueError):
    """Prompt and answer together do not fit into the model's context."""

    def __init__(self, prompt_tokens: int, max_tokens: int, limit: int) -> None:
        super().__init__(
            f"This model's maximum context length is {limit} tokens. However, you requested "
            f"{prompt_tokens + max_tokens} tokens ({prompt_tokens} in the messages, {max_tokens} in the completion). "
            f"Please reduce the length of the messages or completion."
        )


class Finish(StrEnum):
    """Why an answer ends; each API has its own word for it."""

    STOP = "stop"
    TOOL_CALLS = "tool_calls"
    LENGTH = "length"


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools of a request: their names, in order, and their canonical text."""

    names: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """One model request, without its API.

    `messages` are (role, canonical body) in order, without the assistant message that is to be continued; that one's
    text is `partial` (None: a new assistant message begins). `tool` names the tool that must be called, "" leaves the
    choice to the replica, None forbids a call. `tool_required` is whether an unmarked conversation must call as well.
    """

    messages: Sequence[tuple[str, str]]
    model: str
    max_tokens: int | None
    streaming: bool
    include_usage: bool
    tools: Toolbox
    tool: str | None
    tool_required: bool
    partial: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What will be answered, to the token. Tokens `offset` to `total` of `tokens` are sent; the last
    `call_tokens` of them are the arguments of a call of `tool` (None: all is text)."""

    key: str
    marker: Marker | None
    prompt: str
    prompt_tokens: int
    tokens: str
    offset: int
    total: int
    call_tokens: int
    tool: str | None
    finish: Finish

    @property
    def count(self) -> int:
        """Tokens to decode and send."""
        return self.total - self.offset

    @property
    def text_end(self) -> int:
        """The index of the first token that belongs to the call (`total` where there is none)."""
        return max(self.offset, self.total - self.call_tokens)

    @property
    def text(self) -> str:
        """The part of the answer that is text, from the offset on."""
        return self.tokens[self.offset * TOKEN_CHARS : self.text_end * TOKEN_CHARS]

    @property
    def arguments(self) -> str:
        """The arguments of the call, as JSON."""
        return ARGUMENTS_OPEN + self.tokens[self.text_end * TOKEN_CHARS :] + ARGUMENTS_CLOSE

    def blocks(self) -> list[int]:
        """Hashes of the full blocks of prompt and answer."""
        body = self.prompt + self.text
        if self.tool is not None:
            body += call_text(self.tool, self.arguments)
        return block_hashes(body, self.prompt_tokens + self.count)


def plan_answer(ask: Ask, context_limit: int) -> Answer:
    """The answer to `ask`; see "Conversations" in docs/wire.md.

    An answer of natural length (no marker, or no `max_tokens`) is capped by what `context_limit`, in tokens, leaves.
    Raises `ContextLengthError` where prompt and `max_tokens` together go beyond it.
    """
    bodies = (body for role, body in reversed(ask.messages) if role != ASSISTANT)
    marker = next((found for body in bodies if (found := find_marker(body)) is not None), None)
    before = canonical_text(ask.messages, ask.tools)
    partial = ask.partial or ""
    prompt = before + _header(ASSISTANT) + partial
    prompt_tokens = tokens_in(prompt)
    if prompt_tokens + (ask.max_tokens or 1) > context_limit:
        raise ContextLengthError(prompt_tokens, ask.max_tokens or 1, context_limit)
    offset = tokens_in(partial)
    key = marker.key if marker is not None else text_key(before)
    finish = Finish.STOP
    if marker is not None and ask.max_tokens is not None:
        total = ask.max_tokens + offset
    else:
        total = max(natural_tokens(key), offset + 1)
        cap = offset + (context_limit - prompt_tokens if ask.max_tokens is None else ask.max_tokens)
        if total > cap:
            total, finish = cap, Finish.LENGTH
    tool: str | None = None
    call_tokens = 0
    if ask.tool is not None and ask.tools.names and (marker is not None or ask.tool_required):
        tool = ask.tool or ask.tools.names[bits(f"tool/{key}") % len(ask.tools.names)]
        call_tokens = min(_MOST_CALL_TOKENS, total // 2)
        finish = Finish.TOOL_CALLS
    return Answer(
        key=key,
        marker=marker,
        prompt=prompt,
        prompt_tokens=prompt_tokens,
        tokens=token_stream(key, total),
        offset=offset,
        total=total,
        call_tokens=call_tokens,
        tool=tool,
        finish=finish,
    )


def canonical_text(messages: Sequence[tuple[str, str]], tools: Toolbox) -> str:
    """The conversation as one text, up to where the next message's header would stand."""
    pieces: list[str] = []
    if tools.text:
        pieces += (_header("tools"), tools.text, _PADS[len(tools.text) % TOKEN_CHARS])
    for role, body in messages:
        pieces += (_header(role), body, _PADS[len(body) % TOKEN_CHARS])
    return "".join(pieces)


def call_text(name: str, arguments: str) -> str:
    """A tool call in canonical text. Arguments are compacted, since clients write the same JSON in several ways."""
    with suppress(msgspec.DecodeError):  # a model may have written broken JSON: its text is what counts then
        arguments = msgspec.json.format(arguments, indent=-1)
    return f"<|call|>{name} {arguments}"


def block_hashes(text: str, tokens: int) -> list[int]:
    """Chained hashes of the full blocks of a `text` of `tokens` tokens. Python's own string hash: fast, and valid
    in this process only, as a KV cache is."""
    blocks = tokens // BLOCK_TOKENS
    end = blocks * _BLOCK_CHARS
    text = text.ljust(end)  # a last token may be ragged
    hashes: list[int] = []
    parent = 0
    for at in range(0, end, _BLOCK_CHARS):
        parent = hash((parent, text[at : at + _BLOCK_CHARS]))
        hashes.append(parent)
    return hashes


def natural_tokens(key: str) -> int:
    """Tokens of an answer that nobody fixed the length of: log-uniform from 16 to 1,024, drawn from the key."""
    return round(math.exp(math.log(16) + math.log(64) * uniform(f"length/{key}")))


def toolbox(raw: bytes) -> Toolbox:
    """The tools of a request body, of either API. Raises `ValueError` where `raw` is not a list of tools."""
    return _toolbox(raw) if raw and raw != b"null" else Toolbox()


class _NamedTool(msgspec.Struct):
    name: str


class _Tool(msgspec.Struct):
    name: str | None = None  # Messages API
    function: _NamedTool | None = None  # Chat Completions
    type: str | None = None


@lru_cache(maxsize=64)  # all sessions of a profile send the same tools, which can be half of a body
def _toolbox(raw: bytes) -> Toolbox:
    try:
        tools = msgspec.json.decode(raw, type=list[_Tool])
        text = msgspec.json.format(raw, indent=-1).decode()
    except msgspec.MsgspecError as error:
        raise ValueError(f"tools: {error}") from None
    names = [tool.name or (tool.function.name if tool.function else None) for tool in tools]
    if not all(names):
        raise ValueError("tools: every tool needs a name")
    return Toolbox(names=tuple(name for name in names if name), text=text)


@lru_cache(maxsize=64)
def _header(role: str) -> str:
    text = f"\n<|{role}|>\n"
    return text + _PADS[len(text) % TOKEN_CHARS]
