"""What the two APIs have in common for a client: requests to encode, pieces of answers to read.

openai_wire      OpenAI chat completions
anthropic_wire   Anthropic Messages
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from loadprofiles.sessions.session import Call, Message

__all__ = ["CorruptAnswerError", "Delta", "Usage", "Wire", "argument_tokens"]

_ARGUMENTS = re.compile(r'\s*\{\s*"input"\s*:\s*"([^"\\]*)("\s*\}\s*)?')


class CorruptAnswerError(Exception):
    """An answer, or a part of it, that cannot be parsed."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the target reported them; None where it did not say. `input_tokens` includes cached ones."""

    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(slots=True)
class Delta:
    """What one event, or one whole body, brought.

    `content`, `arguments` (of a tool call, JSON text) and `reasoning` are pieces of the answer. `finish` is a finish
    reason; `done` the end of the stream (`[DONE]`, `message_stop`); `error` the message of an error event.
    """

    content: str = ""
    arguments: str = ""
    reasoning: str = ""
    finish: str | None = None
    done: bool = False
    error: str | None = None
    usage: Usage | None = None
    model: str | None = None


class Wire(Protocol):
    """One API. Stateless."""

    provider: str
    """Value of `gen_ai.provider.name`."""
    path: str
    """Path after the base URL's `/v1`."""
    piece_keys: tuple[bytes, bytes]
    """How text and tool arguments are introduced in a delta: what stands just before the string's opening quote."""

    def headers(self, api_key: str | None) -> list[tuple[str, str]]:
        """The headers of every request, beyond `Host` and `Content-Type`."""

    def encode_message(self, message: Message) -> bytes:
        """One message as it stands in the request's list; cached by the caller."""

    def body(self, call: Call, encoded: Sequence[bytes], model: str, session: str) -> bytes:
        """The request's body. `encoded`: every message of the call, encoded."""

    def event(self, name: str, data: bytes) -> Delta:
        """One server-sent event. Raises `CorruptAnswerError`."""

    def whole(self, data: bytes) -> Delta:
        """The body of an answer that did not stream. Raises `CorruptAnswerError`."""


def argument_tokens(arguments: str) -> tuple[str, bool]:
    """The tokens inside a tool call's arguments `{"input":"<tokens>"}`, and whether the JSON is complete.

    Incomplete arguments give the tokens so far; anything else gives the text itself, so that a comparison shows it.
    """
    found = _ARGUMENTS.match(arguments)
    if not found:
        return ("", False) if '{"input":"'.startswith(arguments.replace(" ", "")) else (arguments, False)
    if found.end() != len(arguments) and not (found[2] is None and arguments[found.end() :].strip() == '"'):
        return arguments, False
    return found[1], found[2] is not None
