"""Events of OpenAI chat completions, and cases made of them."""

from __future__ import annotations

import json
from typing import Any

from reports.shared.attributes import Outcome
from tests.support.dialects.case import Dialect, Step
from tests.support.dialects.http import chunked, response

__all__ = [
    "DONE",
    "END",
    "PIECES",
    "STOP",
    "TEXT",
    "USAGE",
    "chunk_of",
    "completion",
    "event",
    "stream",
    "tool",
    "tools_of",
    "whole",
    "words",
]

PIECES = ("Rain ", "fell ", "on ", "the ", "tin ", "roof ", "all ", "night.")
TEXT = "".join(PIECES)
USAGE = {"prompt_tokens": 31, "completion_tokens": 8, "total_tokens": 39}
DONE = b"data: [DONE]\n\n"


def chunk_of(delta: Any = None, finish: Any = None, **fields: Any) -> dict[str, Any]:
    """A chunk with one choice. `fields`: replace fields of the chunk; `choice` replaces fields of its choice."""
    choice = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish} | fields.pop("choice", {})
    usual = {"id": "chatcmpl-q", "object": "chat.completion.chunk", "created": 1, "model": "lab-1", "choices": [choice]}
    return usual | fields


def event(data: Any, *, name: str = "") -> bytes:
    """One server-sent event. `data`: text as it is, or a value as JSON."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return (f"event: {name}\n" if name else "").encode() + b"data: " + text.encode() + b"\n\n"


def words(*pieces: str, key: str = "content") -> bytes:
    """A chunk for each piece of text."""
    return b"".join(event(chunk_of({key: piece})) for piece in pieces or PIECES)


def tool(index: int | None, arguments: Any = None, **fields: Any) -> bytes:
    """A chunk with a piece of a tool call. `fields`: `id` of the call, `name` of its function."""
    function = {
        key: value for key, value in (("name", fields.pop("name", None)), ("arguments", arguments)) if value is not None
    }
    piece = {"type": "function", "function": function, **fields} | ({} if index is None else {"index": index})
    return event(chunk_of({"tool_calls": [piece]}))


STOP = event(chunk_of(finish="stop"))
END = STOP + event(chunk_of(choices=[], usage=USAGE)) + DONE
"""The usual end of a stream: finish reason, token counts, [DONE]."""


def stream(name: str, why: str, *events: Step, **expected: Any) -> Dialect:
    """A case with a chunked stream. A good answer has the usual text, unless `expected` says otherwise."""
    if expected.setdefault("outcome", Outcome.OK) is Outcome.OK:
        expected = {"text": TEXT} | expected
    return Dialect(name=name, why=why, sends=(chunked(events),), **expected)


def tools_of(name: str, why: str, *events: Step, **expected: Any) -> Dialect:
    """A case with tool calls: the events, then the usual end with the finish reason `tool_calls`."""
    end = event(chunk_of(finish="tool_calls")) + DONE
    return stream(name, why, *events, end, **({"text": ""} | expected))


def completion(message: Any = None, finish: Any = "stop", **fields: Any) -> dict[str, Any]:
    """The body of an answer that is not streamed. `choice` replaces fields of its choice."""
    given = {"role": "assistant", "content": TEXT} if message is None else message
    choice = {"index": 0, "message": given, "finish_reason": finish} | fields.pop("choice", {})
    usual = {"id": "chatcmpl-q", "object": "chat.completion", "model": "lab-1", "choices": [choice], "usage": USAGE}
    return usual | fields


def whole(name: str, why: str, body: Any, **expected: Any) -> Dialect:
    """A case with an answer that is not streamed. `body`: bytes as they are, or a value as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    if expected.setdefault("outcome", Outcome.OK) is Outcome.OK:
        expected = {"text": TEXT} | expected
    return Dialect(name=name, why=why, sends=(response("200 OK", data),), stream=False, **expected)
