"""What the two APIs have in common: encoding of requests, decoding of answers.

openai_wire      OpenAI chat completions
anthropic_wire   Anthropic Messages
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from loadprofiles.sessions.session import Call, Message

__all__ = [
    "CorruptAnswerError",
    "Delta",
    "RequestFields",
    "ToolPiece",
    "Usage",
    "Wire",
    "argument_tokens",
    "failure_of",
]

_ARGUMENTS = re.compile(r'\s*\{\s*"input"\s*:\s*"([^"\\]*)("\s*\}\s*)?')


_FINISH_OF_FAILURES = frozenset({"error", "abort"})
"""Finish reasons with which a server says that it gave up on the answer (OpenRouter; vLLM)."""


class CorruptAnswerError(Exception):
    """An answer, or a part of it, cannot be parsed."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the target reported them; None: not reported. `input_tokens` includes cached tokens."""

    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ToolPiece:
    """A piece of a tool call, or a whole one. `index` and `id`: as the target numbers and names the call, if it does.

    `arguments`: JSON text, a part of it or all. `whole`: all arguments, valid unless pieces follow. `server`: the
    target runs the tool itself. `begins`: the piece is the beginning of a call for certain.
    """

    index: int | None = None
    id: str = ""
    name: str = ""
    arguments: str = ""
    whole: str = ""
    server: bool = False
    begins: bool = False


@dataclass(slots=True)
class Delta:
    """The content of one event, or of one complete body.

    `content`, `reasoning` and `tool_pieces` are pieces of the answer; `other`: it brought another piece, without text
    for us (encrypted reasoning). `finish`: the finish reason, never "". `done`: the end of the stream (`[DONE]`,
    `message_stop`). `error`: what an error event says.
    """

    content: str = ""
    reasoning: str = ""
    tool_pieces: list[ToolPiece] = field(default_factory=list)
    other: bool = False
    finish: str | None = None
    done: bool = False
    error: str | None = None
    usage: Usage | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class RequestFields:
    """What is equal in all requests of a client: the model, and the fields that an endpoint accepts.

    `max_tokens_field`: name of the field with the limit of output tokens. `tools` False: no tools are offered.
    `stream_options` False: a stream is not asked to report its usage.
    """

    model: str
    max_tokens_field: str = "max_tokens"
    tools: bool = True
    stream_options: bool = True


class Wire(Protocol):
    """One API. Stateless."""

    provider: str
    """Value of `gen_ai.provider.name`."""
    path: str
    """Path after the base URL's `/v1`."""
    piece_keys: tuple[bytes, bytes]
    """The JSON before the opening quote of a text piece, and of a piece of tool arguments."""

    def headers(self, api_key: str | None) -> list[tuple[str, str]]:
        """The headers of every request, in addition to `Host` and `Content-Type`."""

    def encode_message(self, message: Message) -> bytes:
        """One message as an item of the request's list of messages. The caller caches it."""

    def encode_body(self, call: Call, encoded: Sequence[bytes], fields: RequestFields, session: str) -> bytes:
        """The body of a request. `encoded`: the encoding of each of the call's messages."""

    def decode_event(self, name: str, data: bytes) -> Delta | None:
        """Decodes one server-sent event; None if it has nothing that is needed. Raises `CorruptAnswerError`."""

    def decode_body(self, data: bytes) -> Delta:
        """Decodes the body of an answer that was not streamed. Raises `CorruptAnswerError`."""


def failure_of(finish: str | None) -> str | None:
    """What a finish reason says about a failure of the server; None if it is not about one."""
    return f'finish reason "{finish}"' if finish is not None and finish.lower() in _FINISH_OF_FAILURES else None


def argument_tokens(arguments: str) -> tuple[str, bool]:
    """The tokens inside a tool call's arguments `{"input":"<tokens>"}`, and whether the JSON is complete.

    For incomplete arguments, returns the tokens so far. For any other text, returns the text itself, which then fails
    the comparison with the expected tokens.
    """
    found = _ARGUMENTS.match(arguments)
    if not found:
        return ("", False) if '{"input":"'.startswith(arguments.replace(" ", "")) else (arguments, False)
    if found.end() != len(arguments) and not (found[2] is None and arguments[found.end() :].strip() == '"'):
        return arguments, False
    return found[1], found[2] is not None
