"""From the messages of a request to what the engine and the answer need. Pure, and the same for every API.

The canonical text of a conversation corresponds to the output of a chat template: tools, then message after message,
each after a header with its role. The text of a prompt and its answer is a prefix of the next turn's prompt, which
contains the answer as an assistant message, so the prefix cache hits. For that, every header starts at a multiple of 4
characters, tool calls are written by name and compact arguments, and ids (which are new in each response) are omitted.

    parse (openai_api, anthropic_api) -> ParsedRequest -> plan_answer -> PlannedAnswer -> EngineRequest
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
    "ContextLengthError",
    "Finish",
    "ParsedRequest",
    "PlannedAnswer",
    "Toolbox",
    "block_hashes",
    "call_text",
    "canonical_text",
    "natural_tokens",
    "plan_answer",
    "toolbox",
]

BLOCK_TOKENS: Final = 16
"""Tokens of a KV block. A block is hashed as a whole."""

ASSISTANT: Final = "assistant"
ARGUMENTS_OPEN: Final = '{"input":"'
ARGUMENTS_CLOSE: Final = '"}'
_BLOCK_CHARS: Final = BLOCK_TOKENS * TOKEN_CHARS
_MOST_CALL_TOKENS: Final = 8
_PADS: Final = ("", "   ", "  ", " ")  # by length modulo 4: fills up the last token


class ContextLengthError(ValueError):
    """Prompt and answer together exceed the context limit of the model."""

    def __init__(self, prompt_tokens: int, max_tokens: int, limit: int) -> None:
        super().__init__(
            f"This model's maximum context length is {limit} tokens. However, you requested "
            f"{prompt_tokens + max_tokens} tokens ({prompt_tokens} in the messages, {max_tokens} in the completion). "
            f"Please reduce the length of the messages or completion."
        )


class Finish(StrEnum):
    """Why an answer ends. Each API has its own name for it."""

    STOP = "stop"
    TOOL_CALLS = "tool_calls"
    LENGTH = "length"


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools of a request: their names, in order, and their canonical text."""

    names: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """One model request, independent of its API.

    `messages` are (role, canonical body) in order, without an assistant message to continue. `partial` is the text of
    that message (None: a new assistant message begins). `tool` is the name of the tool to call; "" leaves the choice to
    the replica, None forbids a call. `tool_required`: a conversation without a marker must call a tool, too.
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
class PlannedAnswer:
    """The complete answer. Tokens `offset` to `total` of `tokens` are sent; the last `call_tokens` of them are the
    arguments of a call of `tool` (None: all tokens are text)."""

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
        """The index of the first token of the tool call (`total` without one)."""
        return max(self.offset, self.total - self.call_tokens)

    @property
    def text(self) -> str:
        """The text of the answer, from the offset on."""
        return self.tokens[self.offset * TOKEN_CHARS : self.text_end * TOKEN_CHARS]

    @property
    def arguments(self) -> str:
        """The arguments of the tool call, as JSON."""
        return ARGUMENTS_OPEN + self.tokens[self.text_end * TOKEN_CHARS :] + ARGUMENTS_CLOSE

    def blocks(self) -> list[int]:
        """The chained hashes of the full KV blocks of prompt and answer."""
        body = self.prompt + self.text
        if self.tool is not None:
            body += call_text(self.tool, self.arguments)
        return block_hashes(body, self.prompt_tokens + self.count)


def plan_answer(request: ParsedRequest, context_limit: int) -> PlannedAnswer:
    """Returns the answer to `request`; see "Conversations" in docs/wire.md.

    An answer of natural length (no marker, or no `max_tokens`) is capped by `context_limit`, in tokens. Raises
    `ContextLengthError` if prompt and `max_tokens` together exceed it.
    """
    bodies = (body for role, body in reversed(request.messages) if role != ASSISTANT)
    marker = next((found for body in bodies if (found := find_marker(body)) is not None), None)
    before = canonical_text(request.messages, request.tools)
    partial = request.partial or ""
    prompt = before + _header(ASSISTANT) + partial
    prompt_tokens = tokens_in(prompt)
    if prompt_tokens + (request.max_tokens or 1) > context_limit:
        raise ContextLengthError(prompt_tokens, request.max_tokens or 1, context_limit)
    offset = tokens_in(partial)
    key = marker.key if marker is not None else text_key(before)
    finish = Finish.STOP
    if marker is not None and request.max_tokens is not None:
        total = request.max_tokens + offset
    else:
        total = max(natural_tokens(key), offset + 1)
        cap = offset + (context_limit - prompt_tokens if request.max_tokens is None else request.max_tokens)
        if total > cap:
            total, finish = cap, Finish.LENGTH
    tool: str | None = None
    call_tokens = 0
    if request.tool is not None and request.tools.names and (marker is not None or request.tool_required):
        tool = request.tool or request.tools.names[bits(f"tool/{key}") % len(request.tools.names)]
        call_tokens = min(_MOST_CALL_TOKENS, total // 2)
        finish = Finish.TOOL_CALLS
    return PlannedAnswer(
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
    """Returns the conversation as one text, up to the position of the next message's header."""
    pieces: list[str] = []
    if tools.text:
        pieces += (_header("tools"), tools.text, _PADS[len(tools.text) % TOKEN_CHARS])
    for role, body in messages:
        pieces += (_header(role), body, _PADS[len(body) % TOKEN_CHARS])
    return "".join(pieces)


def call_text(name: str, arguments: str) -> str:
    """Returns a tool call as canonical text. Compacts the arguments, since clients format the same JSON differently."""
    with suppress(msgspec.DecodeError):  # invalid JSON of a model is kept as it is
        arguments = msgspec.json.format(arguments, indent=-1)
    return f"<|call|>{name} {arguments}"


def block_hashes(text: str, tokens: int) -> list[int]:
    """Returns chained hashes of the full blocks of a `text` of `tokens` tokens. Uses Python's string hash: fast, and
    valid in this process only, like a KV cache."""
    blocks = tokens // BLOCK_TOKENS
    end = blocks * _BLOCK_CHARS
    text = text.ljust(end)  # the last token may be incomplete
    hashes: list[int] = []
    parent = 0
    for at in range(0, end, _BLOCK_CHARS):
        parent = hash((parent, text[at : at + _BLOCK_CHARS]))
        hashes.append(parent)
    return hashes


def natural_tokens(key: str) -> int:
    """Returns the tokens of an answer without a given length: log-uniform from 16 to 1,024, drawn from the key."""
    return round(math.exp(math.log(16) + math.log(64) * uniform(f"length/{key}")))


def toolbox(raw: bytes) -> Toolbox:
    """Parses the tools of a request body, of either API. Raises `ValueError` if `raw` is not a list of tools."""
    return _toolbox(raw) if raw and raw != b"null" else Toolbox()


class _NamedTool(msgspec.Struct):
    name: str


class _Tool(msgspec.Struct):
    name: str | None = None  # Messages API
    function: _NamedTool | None = None  # Chat Completions
    type: str | None = None


@lru_cache(maxsize=64)  # all sessions of a load profile send the same tools, up to half of a body
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
