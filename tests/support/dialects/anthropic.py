"""Events of the Messages API, and cases made of them."""

from __future__ import annotations

import json
from typing import Any

from reports.shared.attributes import Outcome
from tests.support.dialects.case import Dialect, Step
from tests.support.dialects.http import chunked, response
from tests.support.dialects.openai import PIECES, TEXT

__all__ = [
    "END",
    "START",
    "STOP",
    "block",
    "delta",
    "end_of",
    "event",
    "message",
    "start",
    "stream",
    "text_block",
    "tool",
    "tools_of",
    "whole",
]


def event(kind: str, *, name: str | None = None, **fields: Any) -> bytes:
    """One event of the Messages API. `name`: of its event line, the kind by default; "": no event line."""
    line = kind if name is None else name
    data = json.dumps({"type": kind, **fields}, ensure_ascii=False)
    return (f"event: {line}\n" if line else "").encode() + f"data: {data}\n\n".encode()


def start(usage: Any = None, **fields: Any) -> bytes:
    """`message_start`."""
    counts = {"input_tokens": 31, "output_tokens": 1} if usage is None else usage
    usual: dict[str, Any] = {"id": "msg_q", "type": "message", "role": "assistant", "model": "lab-1"}
    usual |= {"content": [], "usage": counts, "stop_reason": None}
    return event("message_start", message=usual | fields)


def block(index: int, content: dict[str, Any], *deltas: dict[str, Any]) -> bytes:
    """A content block: its start, deltas, end."""
    events = [event("content_block_start", index=index, content_block=content)]
    events += [event("content_block_delta", index=index, delta=delta) for delta in deltas]
    return b"".join([*events, event("content_block_stop", index=index)])


def text_block(index: int = 0, pieces: tuple[str, ...] = PIECES) -> bytes:
    """A text block."""
    return block(index, {"type": "text", "text": ""}, *({"type": "text_delta", "text": piece} for piece in pieces))


def tool(index: int, *pieces: str, kind: str = "tool_use", **fields: Any) -> bytes:
    """A tool call, its arguments in pieces."""
    content = {"type": kind, "id": f"toolu_{index}", "name": "bash", "input": {}} | fields
    return block(index, content, *({"type": "input_json_delta", "partial_json": piece} for piece in pieces))


STOP = event("message_stop")


def end_of(reason: Any = "end_turn", usage: Any = None) -> bytes:
    """`message_delta` with the stop reason, then `message_stop`."""
    counts = {"output_tokens": 8} if usage is None else usage
    return event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage=counts) + STOP


START = start()
END = end_of()


def stream(name: str, why: str, *events: Step, **expected: Any) -> Dialect:
    """A case with a chunked stream. A good answer has the usual text, unless `expected` says otherwise."""
    if expected.setdefault("outcome", Outcome.OK) is Outcome.OK:
        expected = {"text": TEXT} | expected
    return Dialect(name=name, why=why, sends=(chunked(events),), api="anthropic", **expected)


def message(content: Any = None, reason: Any = "end_turn", **fields: Any) -> dict[str, Any]:
    """The body of an answer that is not streamed."""
    given = [{"type": "text", "text": TEXT}] if content is None else content
    usage = {"input_tokens": 31, "output_tokens": 8}
    usual = {"id": "msg_q", "type": "message", "role": "assistant", "model": "lab-1", "content": given, "usage": usage}
    return usual | {"stop_reason": reason} | fields


def whole(name: str, why: str, body: Any, **expected: Any) -> Dialect:
    """A case with an answer that is not streamed. `body`: bytes as they are, or a value as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    if expected.setdefault("outcome", Outcome.OK) is Outcome.OK:
        expected = {"text": TEXT} | expected
    return Dialect(name=name, why=why, sends=(response("200 OK", data),), stream=False, api="anthropic", **expected)


def delta(index: Any = 0, **fields: Any) -> bytes:
    """A `content_block_delta` with these fields in its delta."""
    return event("content_block_delta", index=index, delta=fields)


def tools_of(name: str, why: str, *events: bytes, **expected: Any) -> Dialect:
    """A stream that ends with the stop reason `tool_use`."""
    return stream(name, why, START, *events, end_of("tool_use"), **({"text": ""} | expected))
