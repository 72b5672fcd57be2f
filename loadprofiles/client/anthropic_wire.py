"""Anthropic's Messages API: encodes requests and decodes answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from loadprofiles.client.api_paths import API_PATHS
from loadprofiles.client.error_text import error_text, excerpt, one_line
from loadprofiles.client.lenient_json import (
    NotJsonError,
    as_count,
    as_list,
    as_object,
    as_text,
    decode_json,
    encode_json,
)
from loadprofiles.client.wire import CorruptAnswerError, Delta, RequestFields, ToolPiece, Usage, failure_of
from loadprofiles.sessions.session import TOOL_NAME, Call, Message

__all__ = ["AnthropicWire"]

_TOOLS = (
    b'"tools":[{"name":"' + TOOL_NAME.encode() + b'","description":"Runs a command.",'
    b'"input_schema":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}]'
)

_EVENTS = frozenset(
    {
        "message",  # the name of an event without an event line
        "message_start",
        "message_delta",
        "message_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "error",
    }
)
"""Names of the events that are read. Others (ping, and those that do not exist yet) may contain anything."""

_encode = msgspec.json.encode


class AnthropicWire:
    """Anthropic's Messages API."""

    provider = "anthropic"
    path = API_PATHS["anthropic"]
    piece_keys = (b'"text":', b'"partial_json":')

    def headers(self, api_key: str | None) -> list[tuple[str, str]]:
        return [("anthropic-version", "2023-06-01")] + ([("x-api-key", api_key)] if api_key else [])

    def encode_message(self, message: Message) -> bytes:
        """A tool's message is encoded as one block: `encode_body` puts the blocks of a turn into one message."""
        if message.role == "system":
            return _encode({"type": "text", "text": message.text})
        if message.tool_calls:
            blocks: list[object] = [{"type": "text", "text": message.text}] if message.text.strip() else []
            blocks += [
                {"type": "tool_use", "id": call.id, "name": call.name, "input": Raw(call.arguments.encode())}
                for call in message.tool_calls
            ]
            return _encode({"role": "assistant", "content": blocks})
        if message.tool_call_id is not None:
            return _encode({"type": "tool_result", "tool_use_id": message.tool_call_id, "content": message.text})
        return _encode({"role": message.role, "content": message.text})

    def encode_body(self, call: Call, encoded: Sequence[bytes], fields: RequestFields, session: str) -> bytes:
        system = [text for message, text in zip(call.messages, encoded, strict=True) if message.role == "system"]
        tools = b"," + _TOOLS + b',"tool_choice":{"type":"%b"}' % (b"auto" if call.tools else b"none")
        turns = _turns(call.messages, encoded)
        return b"".join(
            (
                b'{"model":',
                _encode(fields.model),
                b',"max_tokens":%d,"system":[' % call.max_tokens,
                b",".join(system),
                b'],"messages":[',
                b",".join(turns),
                b'],"stream":true' if call.stream else b'],"stream":false',
                tools if fields.tools else b"",
                b',"metadata":{"user_id":',
                _encode(session),
                b"}}",
            )
        )

    def decode_event(self, name: str, data: bytes) -> Delta | None:
        if name not in _EVENTS or data.lstrip().startswith(b"[DONE]"):  # vLLM sends [DONE] after message_stop
            return None
        if not data.strip() and name != "error":
            return None
        try:
            event = decode_json(data)
        except NotJsonError:
            event = None
        if not isinstance(event, dict):
            if name == "error":
                return Delta(error=one_line(data.decode("utf-8", "replace")) or "an error event without a message")
            raise CorruptAnswerError(f"an event is not an event of the Messages API: {excerpt(data)}")
        kind = as_text(event.get("type")) or name
        if "error" in (kind, name, event.get("object")) or (kind == "message" and event.get("error")):
            return Delta(error=one_line(error_text(event.get("error") or event)) or "an error without a message")
        return _READERS[kind](event) if kind in _READERS else None

    def decode_body(self, data: bytes) -> Delta:
        try:
            message = decode_json(data)
        except NotJsonError:
            message = None
        if not isinstance(message, dict):
            raise CorruptAnswerError(f"the body is not a message: {excerpt(data)}")
        if message.get("type") == "error" or message.get("error"):
            return Delta(error=one_line(error_text(message.get("error") or message)) or "an error without a message")
        if not isinstance(message.get("content"), list):
            raise CorruptAnswerError(f"the body has no content: {one_line(error_text(message)) or excerpt(data)}")
        finish = as_text(message.get("stop_reason")) or None
        delta = Delta(finish=finish, done=finish is not None, model=as_text(message.get("model")) or None)
        for block in as_list(message.get("content")):
            _read_block(delta, as_object(block), None)
        delta.error = failure_of(finish)
        delta.usage = _usage(message.get("usage"))
        return delta


def _turns(messages: Sequence[Message], encoded: Sequence[bytes]) -> list[bytes]:
    """The messages of the request: roles alternate, and all results of a turn's tool calls are in one message."""
    turns: list[bytes] = []
    blocks: list[bytes] = []
    for message, text in zip(messages, encoded, strict=True):
        if message.role == "system":
            continue
        if message.tool_call_id is not None:
            blocks.append(text)
        elif blocks and message.role == "user":
            blocks.append(_encode({"type": "text", "text": message.text}))
        else:
            if blocks:
                turns.append(_user_message(blocks))
                blocks = []
            turns.append(text)
    return [*turns, _user_message(blocks)] if blocks else turns


def _user_message(blocks: Sequence[bytes]) -> bytes:
    return b'{"role":"user","content":[%b]}' % b",".join(blocks)


def _read_start(event: dict[str, Any]) -> Delta:
    message = as_object(event.get("message"))
    usage = _usage(message.get("usage"))
    # The count of output tokens at the start is a placeholder.
    kept = Usage(usage.input_tokens, usage.cached_tokens, None) if usage is not None else None
    delta = Delta(model=as_text(message.get("model")) or None, usage=kept)
    for index, block in enumerate(as_list(message.get("content"))):
        _read_block(delta, as_object(block), index)
    return delta


def _read_block_start(event: dict[str, Any]) -> Delta:
    delta = Delta()
    _read_block(delta, as_object(event.get("content_block")), as_count(event.get("index")))
    return delta


def _read_block_delta(event: dict[str, Any]) -> Delta:
    piece = as_object(event.get("delta"))
    delta = Delta(content=as_text(piece.get("text")), reasoning=as_text(piece.get("thinking")))
    given = piece.get("partial_json")
    if isinstance(given, (dict, list)):
        raise CorruptAnswerError("a piece of tool call arguments is not a string")
    arguments = as_text(given)
    if arguments:
        delta.tool_pieces.append(ToolPiece(index=as_count(event.get("index")), arguments=arguments))
    return delta


def _read_end(event: dict[str, Any]) -> Delta:
    finish = as_text(as_object(event.get("delta")).get("stop_reason")) or None
    return Delta(finish=finish, error=failure_of(finish), usage=_usage(event.get("usage")))


def _read_stop(event: dict[str, Any]) -> Delta:
    return Delta(done=True)


_READERS = {
    "message_start": _read_start,
    "content_block_start": _read_block_start,
    "content_block_delta": _read_block_delta,
    "message_delta": _read_end,
    "message_stop": _read_stop,
}
"""Readers of the events that bring something, by the event's type."""


def _read_block(delta: Delta, block: dict[str, Any], index: int | None) -> None:
    """Reads a content block: the whole one of a complete body, or the beginning of one in a stream."""
    kind = as_text(block.get("type"))
    if kind in ("tool_use", "server_tool_use", "mcp_tool_use"):
        given = block.get("input")
        name, server = as_text(block.get("name")), kind != "tool_use"
        if isinstance(given, str) and given.strip() and not server:
            shown = excerpt(as_text(given).encode())
            raise CorruptAnswerError(f"the input of a tool call is a string, not an object: {shown}")
        try:
            whole = encode_json(given) if isinstance(given, (dict, list)) and given else ""
        except NotJsonError as error:
            raise CorruptAnswerError(f"the input of a tool call is {error}") from error
        piece = ToolPiece(index, as_text(block.get("id")), name, whole=whole, server=server, begins=True)
        delta.tool_pieces.append(piece)
        return
    delta.content += as_text(block.get("text"))
    delta.reasoning += as_text(block.get("thinking"))
    delta.other = delta.other or kind == "redacted_thinking" or kind.endswith("tool_result")


def _usage(found: object) -> Usage | None:
    """Converts token counts: the Messages API excludes cached tokens from `input_tokens`, our `Usage` includes them."""
    if not isinstance(found, dict):
        return None
    total, cached = as_count(found.get("input_tokens")), as_count(found.get("cache_read_input_tokens"))
    if total is not None:
        total += (cached or 0) + (as_count(found.get("cache_creation_input_tokens")) or 0)
    return Usage(total, cached, as_count(found.get("output_tokens")))
