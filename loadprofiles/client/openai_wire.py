"""OpenAI chat completions: encodes requests and decodes answers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from loadprofiles.client.wire import CorruptAnswerError, Delta, Usage
from loadprofiles.sessions.session import TOOL_NAME, Call, Message

__all__ = ["OpenAIWire"]

_TOOLS = (
    b'"tools":[{"type":"function","function":{"name":"' + TOOL_NAME.encode() + b'","description":"Runs a command.",'
    b'"parameters":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}}]'
)

_ABSENT = Raw()
_ABSENT_OR_NULL = (_ABSENT, Raw(b"null"))
"""A missing field, and null. (`Raw | None` would accept null only.)"""


class _Function(Struct):
    arguments: str | None = None


class _ToolCall(Struct):
    function: _Function | None = None


class _Piece(Struct):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(Struct):
    delta: _Piece | None = None
    message: _Piece | None = None
    finish_reason: str | None = None


class _PromptDetails(Struct):
    cached_tokens: int | None = None


class _Usage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None


class _Chunk(Struct):
    choices: list[_Choice] | UnsetType = UNSET
    model: str | None = None
    usage: _Usage | None = None
    error: Raw = _ABSENT


_decode = msgspec.json.Decoder(_Chunk).decode
_encode = msgspec.json.encode


class OpenAIWire:
    """OpenAI chat completions."""

    provider = "openai"
    path = "/chat/completions"
    piece_keys = (b'"content":', b'"arguments":')

    def headers(self, api_key: str | None) -> list[tuple[str, str]]:
        return [("Authorization", f"Bearer {api_key}")] if api_key else []

    def encode_message(self, message: Message) -> bytes:
        if message.tool_call is not None:
            tool_call = message.tool_call
            function = {"name": tool_call.name, "arguments": tool_call.arguments}
            return _encode(
                {
                    "role": message.role,
                    "content": message.text or None,
                    "tool_calls": [{"id": tool_call.id, "type": "function", "function": function}],
                }
            )
        if message.tool_call_id is not None:
            return _encode({"role": "tool", "tool_call_id": message.tool_call_id, "content": message.text})
        return _encode({"role": message.role, "content": message.text})

    def encode_body(self, call: Call, encoded: Sequence[bytes], model: str, session: str) -> bytes:
        streaming = b'"stream":true,"stream_options":{"include_usage":true}' if call.stream else b'"stream":false'
        return b"".join(
            (
                b'{"model":',
                _encode(model),
                b',"messages":[',
                b",".join(encoded),
                b'],"max_tokens":%d,' % call.max_tokens,
                streaming,
                b",",
                _TOOLS,
                b',"tool_choice":"auto"' if call.tools else b',"tool_choice":"none"',
                b',"user":',
                _encode(session),
                b"}",
            )
        )

    def decode_event(self, name: str, data: bytes) -> Delta:
        if data == b"[DONE]":
            return Delta(done=True)
        try:
            chunk = _decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            if name == "error":
                return Delta(error=data[:500].decode("utf-8", "replace"))
            raise CorruptAnswerError(f"an event is not a chat completion chunk: {error}") from error
        delta = _read(chunk)
        if name == "error" and delta.error is None:
            delta.error = data[:500].decode("utf-8", "replace")
        return delta

    def decode_body(self, data: bytes) -> Delta:
        try:
            chunk = _decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise CorruptAnswerError(f"the body is not a chat completion: {error}") from error
        delta = _read(chunk)
        delta.done = delta.finish is not None
        return delta


def _read(chunk: _Chunk) -> Delta:
    delta = Delta(model=chunk.model)
    if chunk.error not in _ABSENT_OR_NULL:
        delta.error = bytes(chunk.error)[:500].decode("utf-8", "replace")
    elif chunk.choices is UNSET:
        raise CorruptAnswerError("a chunk has neither choices nor an error")
    else:
        for choice in chunk.choices[:1]:
            delta.finish = choice.finish_reason
            piece = choice.delta or choice.message
            if piece is not None:
                delta.content = piece.content or ""
                delta.reasoning = piece.reasoning_content or piece.reasoning or ""
                for tool_call in piece.tool_calls or ():
                    delta.arguments += (tool_call.function and tool_call.function.arguments) or ""
    if chunk.usage is not None:
        details = chunk.usage.prompt_tokens_details
        cached = details.cached_tokens if details is not None else None
        delta.usage = Usage(chunk.usage.prompt_tokens, cached, chunk.usage.completion_tokens)
    return delta
