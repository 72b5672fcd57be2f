"""Anthropic's Messages API with its event stream: bytes in, bytes out.

A trailing assistant message is continued (prefilled). As in the real API, `usage.input_tokens` are the tokens not read
from the cache, `cache_read_input_tokens` those read from it.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any, Final

import msgspec

from targets.replica.api.api import CacheUsage, Renderer, RequestError
from targets.replica.api.conversation import (
    ARGUMENTS_CLOSE,
    ARGUMENTS_OPEN,
    ASSISTANT,
    Finish,
    ParsedRequest,
    PlannedAnswer,
    call_text,
    toolbox,
)

__all__ = ["AnthropicApi", "AnthropicRenderer"]

_TYPES: Final = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_STOP: Final = {Finish.STOP: "end_turn", Finish.TOOL_CALLS: "tool_use", Finish.LENGTH: "max_tokens"}


class _Inner(msgspec.Struct):
    type: str = "text"
    text: str | None = None


class _Block(msgspec.Struct):
    type: str
    text: str | None = None
    thinking: str | None = None
    name: str | None = None
    input: msgspec.Raw = msgspec.Raw(b"{}")
    content: str | list[_Inner] | None = None


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Block]


class _Choice(msgspec.Struct):
    type: str
    name: str | None = None


class _Request(msgspec.Struct):
    messages: list[_Message]
    max_tokens: int
    model: str | None = None
    system: str | list[_Inner] | None = None
    stream: bool | None = None
    tools: msgspec.Raw = msgspec.Raw(b"")
    tool_choice: _Choice | None = None


_DECODER: Final = msgspec.json.Decoder(_Request)


class AnthropicApi:
    """`POST /v1/messages`."""

    def parse(self, body: bytes) -> ParsedRequest:
        """Parses a request. Raises `RequestError`."""
        try:
            request = _DECODER.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise RequestError(str(error)) from None
        if not request.messages:
            raise RequestError("messages: at least one message is required")
        if request.max_tokens < 1:
            raise RequestError("max_tokens: must be greater than or equal to 1")
        try:
            tools = toolbox(bytes(request.tools))
        except ValueError as error:
            raise RequestError(str(error)) from None
        messages = [(message.role, _body(message)) for message in request.messages]
        partial = messages.pop()[1] if _is_prefill(request.messages[-1]) else None
        if request.system:
            messages.insert(0, ("system", _joined(request.system)))
        tool, required = _tool_choice(request.tool_choice, tools.names)
        return ParsedRequest(
            messages=messages,
            model=request.model or "",
            max_tokens=request.max_tokens,
            streaming=bool(request.stream),
            include_usage=True,
            tools=tools,
            tool=tool,
            tool_required=required,
            partial=partial,
        )

    def renderer(self, request: ParsedRequest, answer: PlannedAnswer, model: str, unix_s: int) -> Renderer:
        """Returns the renderer of `answer`."""
        return AnthropicRenderer(answer, model, request.streaming)

    def error(self, status: int, message: str, code: str | None = None) -> bytes:
        """`{"type": "error", "error": {...}}`, as the official client expects it."""
        kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")
        return msgspec.json.encode({"type": "error", "error": {"type": kind, "message": message}})


class AnthropicRenderer:
    """Renders one answer as a message or as its events."""

    def __init__(self, answer: PlannedAnswer, model: str, streaming: bool = True) -> None:
        self._answer = answer
        self._streaming = streaming
        self._model = model
        self._id = f"msg_{secrets.token_hex(12)}"
        self._call_id = f"toolu_{secrets.token_hex(12)}"
        self._tokens = answer.tokens.encode()
        self._text_end = answer.text_end
        # Block 0 is the text, if any; the next block is the tool call.
        self._has_text = answer.text_end > answer.offset or answer.tool is None
        self._call_index = int(self._has_text)
        self._text = _frame(
            "content_block_delta",
            b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"',
            b'"}}',
        )
        self._call = _frame(
            "content_block_delta",
            b'{"type":"content_block_delta","index":%d,"delta":{"type":"input_json_delta","partial_json":"'
            % self._call_index,
            b'"}}',
        )

    def head(self, usage: CacheUsage) -> bytes:
        """The start of the message and of its text block."""
        message = self._message(usage, content=[], finish=None, output_tokens=0)
        start = _event({"type": "message_start", "message": message})
        if self._has_text:
            block = {"type": "text", "text": ""}
            start += _event({"type": "content_block_start", "index": 0, "content_block": block})
        return start + _event({"type": "ping"})

    def events(self, start: int, stop: int) -> bytes:
        """One delta per token; at the end of the text, the events that close its block and open the tool call's."""
        if stop <= self._text_end or self._answer.tool is None:
            return _deltas(self._text, self._tokens[4 * start : 4 * stop])
        text = _deltas(self._text, self._tokens[4 * start : 4 * self._text_end]) if start < self._text_end else b""
        first = max(start, self._text_end)
        opening = self._opening() if first == self._text_end else b""
        return text + opening + _deltas(self._call, self._tokens[4 * first : 4 * stop])

    def tail(self, usage: CacheUsage) -> bytes:
        """The end of the last block, the stop reason with the usage, and the end of the message."""
        closing, last = b"", 0
        if self._answer.tool is not None:
            if self._text_end == self._answer.total:  # a call without tokens
                closing = self._opening()
            closing += self._call[0] + _escaped(ARGUMENTS_CLOSE) + self._call[1]
            last = self._call_index
        delta = {"stop_reason": _STOP[self._answer.finish], "stop_sequence": None}
        return (
            closing
            + _event({"type": "content_block_stop", "index": last})
            + _event({"type": "message_delta", "delta": delta, "usage": {"output_tokens": self._answer.count}})
            + _event({"type": "message_stop"})
        )

    def body(self, usage: CacheUsage) -> bytes:
        """The message."""
        answer = self._answer
        content: list[dict[str, Any]] = [{"type": "text", "text": answer.text}] if self._has_text else []
        if answer.tool is not None:
            arguments = msgspec.Raw(answer.arguments.encode())
            content.append({"type": "tool_use", "id": self._call_id, "name": answer.tool, "input": arguments})
        return msgspec.json.encode(
            self._message(usage, content=content, finish=_STOP[answer.finish], output_tokens=answer.count)
        )

    def error(self, message: str) -> bytes:
        """`{"type": "error", ...}`, as an event if the answer is streamed."""
        body = AnthropicApi().error(529, message)
        return b"event: error\ndata: " + body + b"\n\n" if self._streaming else body

    def replace_tokens(self, start: int, tokens: str) -> None:
        """See `Renderer.replace_tokens`."""
        replaced = self._answer.tokens[: 4 * start] + tokens
        self._answer = replace(self._answer, tokens=replaced[: 4 * self._answer.total])
        self._tokens = self._answer.tokens.encode()

    def _message(
        self, usage: CacheUsage, *, content: list[dict[str, Any]], finish: str | None, output_tokens: int
    ) -> dict[str, Any]:
        return {
            "id": self._id,
            "type": "message",
            "role": ASSISTANT,
            "model": self._model,
            "content": content,
            "stop_reason": finish,
            "stop_sequence": None,
            "usage": {
                "input_tokens": self._answer.prompt_tokens - usage.cached_tokens,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": usage.cached_tokens,
                "output_tokens": output_tokens,
            },
        }

    def _opening(self) -> bytes:
        closed = _event({"type": "content_block_stop", "index": 0}) if self._has_text else b""
        block: dict[str, Any] = {"type": "tool_use", "id": self._call_id, "name": self._answer.tool, "input": {}}
        start = _event({"type": "content_block_start", "index": self._call_index, "content_block": block})
        return closed + start + self._call[0] + _escaped(ARGUMENTS_OPEN) + self._call[1]


def _event(data: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (data["type"].encode(), msgspec.json.encode(data))


def _frame(kind: str, before: bytes, after: bytes) -> tuple[bytes, bytes]:
    return b"event: %s\ndata: %s" % (kind.encode(), before), after + b"\n\n"


def _deltas(frame: tuple[bytes, bytes], tokens: bytes) -> bytes:
    before, after = frame
    if len(tokens) == 4:
        return before + tokens + after
    return b"".join([before + tokens[at : at + 4] + after for at in range(0, len(tokens), 4)])


def _escaped(text: str) -> bytes:
    return msgspec.json.encode(text)[1:-1]


def _is_prefill(message: _Message) -> bool:
    if message.role != ASSISTANT:
        return False
    return isinstance(message.content, str) or all(block.type == "text" for block in message.content)


def _joined(content: str | list[_Inner]) -> str:
    if isinstance(content, str):
        return content
    return "".join([f"<|{part.type}|>" if part.text is None else part.text for part in content])


def _body(message: _Message) -> str:
    if isinstance(message.content, str):
        return message.content
    return "".join([_block_text(block) for block in message.content])


def _block_text(block: _Block) -> str:
    if block.text is not None:
        return block.text
    if block.type == "tool_use":
        return call_text(block.name or "", bytes(block.input).decode())
    if block.type == "tool_result":
        return f"<|result|>{_joined(block.content or '')}"
    return f"<|{block.type}|>{block.thinking or ''}"


def _tool_choice(choice: _Choice | None, names: tuple[str, ...]) -> tuple[str | None, bool]:
    """Returns the tool to call ("": any, None: none), and whether a call is required."""
    if choice is None or choice.type == "auto":
        return "", False
    if choice.type == "none":
        return None, False
    if choice.type == "any":
        return "", True
    if choice.type == "tool" and choice.name in names:
        return choice.name, True
    raise RequestError("tool_choice: must be auto, any, none, or a tool of `tools`")
