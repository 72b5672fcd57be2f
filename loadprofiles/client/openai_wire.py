"""OpenAI chat completions: encodes requests and decodes answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from loadprofiles.client.api_paths import API_PATHS
from loadprofiles.client.error_text import error_text, excerpt, one_line
from loadprofiles.client.lenient_json import (
    NotJsonError,
    as_body,
    as_count,
    as_list,
    as_object,
    as_text,
    decode_json,
    encode_json,
)
from loadprofiles.client.wire import CorruptAnswerError, Delta, RequestFields, ToolPiece, Usage, failure_of
from loadprofiles.sessions.session import TOOL_NAME, Call, Message

__all__ = ["OpenAIWire"]

_TOOLS = (
    b'"tools":[{"type":"function","function":{"name":"' + TOOL_NAME.encode() + b'","description":"Runs a command.",'
    b'"parameters":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}}]'
)

_REASONING_KEYS = ("reasoning_content", "reasoning", "thinking", "reasoning_text", "reasoning_details")
"""The fields of reasoning. Servers that send two of them send the same text in both."""
_PART_KEYS = ("text", "thinking", "reasoning", "summary", "content")
"""The fields of a part of reasoning that may have its text."""
_MAX_PART_DEPTH = 4
_OTHER_KEYS = ("reasoning_details", "audio", "images")
"""Fields of pieces that are received, but have no text for us, such as encrypted reasoning."""

_encode = msgspec.json.encode


class OpenAIWire:
    """OpenAI chat completions."""

    provider = "openai"
    path = API_PATHS["openai"]
    piece_keys = (b'"content":', b'"arguments":')

    def headers(self, api_key: str | None) -> list[tuple[str, str]]:
        return [("Authorization", f"Bearer {api_key}")] if api_key else []

    def encode_message(self, message: Message) -> bytes:
        if message.tool_calls:
            calls = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in message.tool_calls
            ]
            return _encode({"role": message.role, "content": message.text, "tool_calls": calls})
        if message.tool_call_id is not None:
            return _encode({"role": "tool", "tool_call_id": message.tool_call_id, "content": message.text})
        return _encode({"role": message.role, "content": message.text})

    def encode_body(self, call: Call, encoded: Sequence[bytes], fields: RequestFields, session: str) -> bytes:
        streaming = b'"stream":true' if call.stream else b'"stream":false'
        if call.stream and fields.stream_options:
            streaming += b',"stream_options":{"include_usage":true}'
        tools = b"," + _TOOLS + (b',"tool_choice":"auto"' if call.tools else b',"tool_choice":"none"')
        return b"".join(
            (
                b'{"model":',
                _encode(fields.model),
                b',"messages":[',
                b",".join(encoded),
                b'],"%b":%d,' % (fields.max_tokens_field.encode(), call.max_tokens),
                streaming,
                tools if fields.tools else b"",
                b',"user":',
                _encode(session),
                b"}",
            )
        )

    def decode_event(self, name: str, data: bytes) -> Delta | None:
        if data.lstrip().startswith(b"[DONE]"):
            return Delta(done=True)
        if not data.strip() and name != "error":
            return None
        try:
            chunk = as_body(decode_json(data))
        except NotJsonError:
            chunk = None
        if chunk is None:
            if name == "error":
                return Delta(error=one_line(data.decode("utf-8", "replace")) or "an error event without a message")
            raise CorruptAnswerError(f"an event is not a chat completion chunk: {excerpt(data)}")
        return _read(chunk, "delta", is_error=name == "error")

    def decode_body(self, data: bytes) -> Delta:
        try:
            body = as_body(decode_json(data))
        except NotJsonError:
            body = None
        if body is None:
            raise CorruptAnswerError(f"the body is not a chat completion: {excerpt(data)}")
        delta = _read(body, "message", is_error=False)
        if delta.error is None and not as_list(body.get("choices")):
            raise CorruptAnswerError(f"the body has no choices: {one_line(error_text(body)) or excerpt(data)}")
        delta.done = delta.finish is not None
        return delta


def _read(chunk: dict[str, Any], where: str, *, is_error: bool) -> Delta:
    """Reads a chunk, or a complete body. `where`: the usual place of the message in a choice."""
    delta = Delta(model=as_text(chunk.get("model")) or None)
    choices = as_list(chunk.get("choices"))
    choice = _only_choice(choices) if where == "message" else _first_choice(choices)
    is_error = is_error or "error" in (chunk.get("object"), chunk.get("type"))
    error = chunk.get("error") or choice.get("error") or chunk.get("errors") or (chunk if is_error else None)
    if error or is_error:
        delta.error = one_line(error_text(error)) or "an error without a message"
        return delta
    _read_choice(delta, choice, where)
    usage = chunk.get("usage") or choice.get("usage")  # Moonshot puts it into the choice
    if usage:
        delta.usage = _usage(as_object(usage))
    return delta


def _first_choice(choices: list[Any]) -> dict[str, Any]:
    """The choice with index 0, or without a number. Further choices were not asked for."""
    return next((choice for choice in map(as_object, choices) if not as_count(choice.get("index"))), {})


def _only_choice(choices: list[Any]) -> dict[str, Any]:
    """The choice of a complete body: it cannot be a further one if there is only one."""
    return as_object(choices[0]) if len(choices) == 1 else _first_choice(choices)


def _read_choice(delta: Delta, choice: dict[str, Any], where: str) -> None:
    delta.finish = as_text(choice.get("finish_reason")) or None
    delta.error = failure_of(delta.finish)
    found = choice.get(where)
    if not isinstance(found, dict):
        found = choice.get("message" if where == "delta" else "delta")
    piece = as_object(found)
    content = piece.get("content")
    if isinstance(content, (list, dict)):
        _read_parts(delta, content if isinstance(content, list) else [content])
    else:
        delta.content = as_text(content)
    delta.content = delta.content or as_text(piece.get("refusal")) or as_text(choice.get("text"))
    if not delta.reasoning:
        delta.reasoning = next((text for key in _REASONING_KEYS if (text := _reasoning(piece.get(key), 0))), "")
    delta.other = any(piece.get(key) and not isinstance(piece[key], str) for key in _OTHER_KEYS)
    calls = [as_object(call) for call in as_list(piece.get("tool_calls"))]
    delta.tool_pieces += [found for call in calls if (found := _tool_piece(call, alone=len(calls) == 1)) is not None]
    if not delta.tool_pieces and isinstance(piece.get("function_call"), dict):
        legacy = _tool_piece({"index": 0, "function": piece["function_call"]})
        delta.tool_pieces += [legacy] if legacy is not None else []


def _read_parts(delta: Delta, parts: list[Any]) -> None:
    """Reads content that is a list of parts. Mistral's models send their reasoning as parts of the content."""
    for part in parts:
        kind = as_text(as_object(part).get("type"))
        if kind in ("thinking", "reasoning"):
            delta.reasoning += _reasoning(part, 0)
        else:
            delta.content += as_text([part]) or as_text(as_object(part).get("refusal"))


def _reasoning(value: object, depth: int) -> str:
    """The text of reasoning: text itself, a part, or a list of parts."""
    if isinstance(value, list) and depth < _MAX_PART_DEPTH:
        return "".join(_reasoning(part, depth + 1) for part in value)
    if isinstance(value, dict) and depth < _MAX_PART_DEPTH:
        return next((text for key in _PART_KEYS if (text := _reasoning(value.get(key), depth + 1))), "")
    return as_text(value)


def _tool_piece(call: dict[str, Any], *, alone: bool = True) -> ToolPiece | None:
    """One piece of a tool call; None if there is nothing in it. `alone`: it is the only one of its chunk.

    If it is not, and has a name but neither index nor id, it is a call of its own.
    """
    function = as_object(call.get("function"))
    arguments = function.get("arguments")
    if isinstance(arguments, (dict, list)):
        kind = "an object" if isinstance(arguments, dict) else "an array"
        raise CorruptAnswerError(f"tool call arguments are {kind}, not a string: {_shown(arguments)}")
    piece = ToolPiece(
        index=as_count(call.get("index")),
        id=as_text(call.get("id")),
        name=as_text(function.get("name")),
        arguments=as_text(arguments),
    )
    if not alone and piece.index is None and not piece.id and piece.name:
        return replace(piece, begins=True)
    return piece if piece.id or piece.name or piece.arguments else None


def _shown(value: object) -> str:
    try:
        return excerpt(encode_json(value).encode())
    except NotJsonError as error:
        return str(error)


def _usage(usage: dict[str, Any]) -> Usage:
    cached = as_count(as_object(usage.get("prompt_tokens_details")).get("cached_tokens"))
    return Usage(as_count(usage.get("prompt_tokens")), cached, as_count(usage.get("completion_tokens")))
