"""Anthropic's Messages API: encodes requests and decodes answers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct

from loadprofiles.client.wire import CorruptAnswerError, Delta, Usage
from loadprofiles.sessions.session import TOOL_NAME, Call, Message

__all__ = ["AnthropicWire"]

_TOOLS = (
    b'"tools":[{"name":"' + TOOL_NAME.encode() + b'","description":"Runs a command.",'
    b'"input_schema":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}]'
)

_ABSENT = Raw()
_ABSENT_OR_NULL = (_ABSENT, Raw(b"null"))
"""A missing field, and null. (`Raw | None` would accept null only.)"""


class _Usage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class _Block(Struct):
    type: str = ""
    text: str = ""
    thinking: str = ""
    input: Raw = _ABSENT


class _Message(Struct):
    model: str | None = None
    usage: _Usage | None = None


class _Piece(Struct):
    type: str = ""
    text: str = ""
    partial_json: str = ""
    thinking: str = ""
    stop_reason: str | None = None


class _Event(Struct):
    type: str
    message: _Message | None = None
    delta: _Piece | None = None
    content_block: _Block | None = None
    usage: _Usage | None = None
    error: Raw = _ABSENT


class _Whole(Struct):
    type: str
    content: list[_Block] = []
    stop_reason: str | None = None
    model: str | None = None
    usage: _Usage | None = None
    error: Raw = _ABSENT


_decode_event = msgspec.json.Decoder(_Event).decode
_decode_whole = msgspec.json.Decoder(_Whole).decode
_encode = msgspec.json.encode


class AnthropicWire:
    """Anthropic's Messages API."""

    provider = "anthropic"
    path = "/messages"
    piece_keys = (b'"text":', b'"partial_json":')

    def headers(self, api_key: str | None) -> list[tuple[str, str]]:
        return [("anthropic-version", "2023-06-01")] + ([("x-api-key", api_key)] if api_key else [])

    def encode_message(self, message: Message) -> bytes:
        if message.role == "system":
            return _encode({"type": "text", "text": message.text})
        if message.tool_call is not None:
            blocks: list[object] = [{"type": "text", "text": message.text}] if message.text else []
            tool_call = message.tool_call
            blocks.append(
                {"type": "tool_use", "id": tool_call.id, "name": tool_call.name, "input": _input(tool_call.arguments)}
            )
            return _encode({"role": "assistant", "content": blocks})
        if message.tool_call_id is not None:
            result = {"type": "tool_result", "tool_use_id": message.tool_call_id, "content": message.text}
            return _encode({"role": "user", "content": [result]})
        return _encode({"role": message.role, "content": message.text})

    def encode_body(self, call: Call, encoded: Sequence[bytes], model: str, session: str) -> bytes:
        system: list[bytes] = []
        turns: list[bytes] = []
        for message, text in zip(call.messages, encoded, strict=True):
            (system if message.role == "system" else turns).append(text)
        return b"".join(
            (
                b'{"model":',
                _encode(model),
                b',"max_tokens":%d,"system":[' % call.max_tokens,
                b",".join(system),
                b'],"messages":[',
                b",".join(turns),
                b'],"stream":true,' if call.stream else b'],"stream":false,',
                _TOOLS,
                b',"tool_choice":{"type":"auto"}' if call.tools else b',"tool_choice":{"type":"none"}',
                b',"metadata":{"user_id":',
                _encode(session),
                b"}}",
            )
        )

    def decode_event(self, name: str, data: bytes) -> Delta:
        try:
            event = _decode_event(data)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            if name == "error":
                return Delta(error=data[:500].decode("utf-8", "replace"))
            raise CorruptAnswerError(f"an event is not an event of the Messages API: {error}") from error
        delta = Delta()
        if event.type == "error" or name == "error":
            delta.error = bytes(event.error or data)[:500].decode("utf-8", "replace")
        elif event.type == "content_block_delta" and event.delta is not None:
            delta.content, delta.arguments = event.delta.text, event.delta.partial_json
            delta.reasoning = event.delta.thinking
        elif event.type == "content_block_start" and event.content_block is not None:
            delta.content = event.content_block.text
        elif event.type == "message_start" and event.message is not None:
            delta.model = event.message.model
            delta.usage = _usage(event.message.usage)
        elif event.type == "message_delta":
            delta.finish = event.delta.stop_reason if event.delta is not None else None
            delta.usage = _usage(event.usage)
        elif event.type == "message_stop":
            delta.done = True
        return delta

    def decode_body(self, data: bytes) -> Delta:
        try:
            message = _decode_whole(data)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise CorruptAnswerError(f"the body is not a message: {error}") from error
        if message.type == "error" or message.error not in _ABSENT_OR_NULL:
            return Delta(error=bytes(message.error or data)[:500].decode("utf-8", "replace"))
        delta = Delta(finish=message.stop_reason, done=message.stop_reason is not None, model=message.model)
        for block in message.content:
            delta.content += block.text
            delta.reasoning += block.thinking
            if block.type == "tool_use" and block.input not in _ABSENT_OR_NULL:
                delta.arguments += bytes(block.input).decode()
        delta.usage = _usage(message.usage)
        return delta


def _input(arguments: str) -> object:
    """A tool call's arguments as the object that the Messages API requires."""
    try:
        decoded = msgspec.json.decode(arguments)
    except msgspec.DecodeError:
        return {"input": arguments}
    return Raw(arguments.encode()) if isinstance(decoded, dict) else {"input": arguments}


def _usage(usage: _Usage | None) -> Usage | None:
    """Converts token counts: the Messages API excludes cached tokens from `input_tokens`, our `Usage` includes them."""
    if usage is None:
        return None
    total = None
    if usage.input_tokens is not None:
        total = usage.input_tokens + (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    return Usage(total, usage.cache_read_input_tokens, usage.output_tokens)
