"""OpenAI's Chat Completions API, as vLLM serves it: bytes in, bytes out.

Unknown fields are ignored, because routers add their own. A trailing assistant message is continued unless
`continue_final_message` is false (vLLM's default is the opposite; gateways that migrate streams send true). The events
of a stream are built from byte templates, made once per answer: no JSON is encoded per token.
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
    ParsedRequest,
    PlannedAnswer,
    call_text,
    toolbox,
)

__all__ = ["OpenAIApi", "OpenAIRenderer"]

_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
    503: "service_unavailable",
}


class _Part(msgspec.Struct):
    type: str = "text"
    text: str | None = None


class _Function(msgspec.Struct):
    name: str
    arguments: str = ""


class _Call(msgspec.Struct):
    function: _Function


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Part] | None = None
    tool_calls: list[_Call] | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Request(msgspec.Struct):
    messages: list[_Message]
    model: str | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    tools: msgspec.Raw = msgspec.Raw(b"")
    tool_choice: str | dict[str, Any] | None = None
    continue_final_message: bool | None = None


_DECODER: Final = msgspec.json.Decoder(_Request)


class OpenAIApi:
    """`POST /v1/chat/completions`."""

    def parse(self, body: bytes) -> ParsedRequest:
        """Parses a request. Raises `RequestError`."""
        try:
            request = _DECODER.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise RequestError(str(error)) from None
        if not request.messages:
            raise RequestError("messages: must hold at least one message")
        if request.n not in (None, 1):
            raise RequestError("n: only 1 is supported")
        max_tokens = request.max_tokens if request.max_completion_tokens is None else request.max_completion_tokens
        if max_tokens is not None and max_tokens < 1:
            raise RequestError(f"max_tokens must be at least 1, got {max_tokens}.")
        try:
            tools = toolbox(bytes(request.tools))
        except ValueError as error:
            raise RequestError(str(error)) from None
        messages = [(message.role, _body(message)) for message in request.messages]
        last = request.messages[-1]
        partial: str | None = None
        if last.role == ASSISTANT and not last.tool_calls and request.continue_final_message is not False:
            partial = messages.pop()[1]
        tool, required = _tool_choice(request.tool_choice, tools.names)
        return ParsedRequest(
            messages=messages,
            model=request.model or "",
            max_tokens=max_tokens,
            streaming=bool(request.stream),
            include_usage=bool(request.stream_options and request.stream_options.include_usage),
            tools=tools,
            tool=tool,
            tool_required=required,
            partial=partial,
        )

    def renderer(self, request: ParsedRequest, answer: PlannedAnswer, model: str, unix_s: int) -> Renderer:
        """Returns the renderer of `answer`."""
        return OpenAIRenderer(answer, model, unix_s, request.include_usage, request.streaming)

    def error(self, status: int, message: str, code: str | None = None) -> bytes:
        """`{"error": {...}}`, as the official clients expect it."""
        kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
        return msgspec.json.encode(
            {"error": {"message": message, "type": kind, "param": None, "code": code if code is not None else status}}
        )


class OpenAIRenderer:
    """Renders one answer as a chat completion or as its chunks."""

    def __init__(
        self, answer: PlannedAnswer, model: str, unix_s: int, include_usage: bool, streaming: bool = True
    ) -> None:
        self._answer = answer
        self._streaming = streaming
        self._model = model
        self._unix_s = unix_s
        self._include_usage = include_usage
        self._id = f"chatcmpl-{secrets.token_hex(12)}"
        self._call_id = f"call_{secrets.token_hex(12)}"
        self._tokens = answer.tokens.encode()
        self._text_end = answer.text_end
        common = msgspec.json.encode(
            {"id": self._id, "object": "chat.completion.chunk", "created": unix_s, "model": model}
        )
        self._open = b"data: " + common[:-1] + b',"choices":'
        choice = self._open + b'[{"index":0,"delta":'
        self._text = (choice + b'{"content":"', b'"},"logprobs":null,"finish_reason":null}]}\n\n')
        self._call = (
            choice + b'{"tool_calls":[{"index":0,"function":{"arguments":"',
            b'"}}]},"logprobs":null,"finish_reason":null}]}\n\n',
        )
        self._choice = choice

    def head(self, usage: CacheUsage) -> bytes:
        """The chunk with the role."""
        return self._choice + b'{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}\n\n'

    def events(self, start: int, stop: int) -> bytes:
        """One chunk per token; before the first token of the tool call, the chunk that opens it."""
        if stop <= self._text_end or self._answer.tool is None:
            return _chunks(self._text, self._tokens[4 * start : 4 * stop])
        text = _chunks(self._text, self._tokens[4 * start : 4 * self._text_end]) if start < self._text_end else b""
        first = max(start, self._text_end)
        opening = self._opening() if first == self._text_end else b""
        return text + opening + _chunks(self._call, self._tokens[4 * first : 4 * stop])

    def tail(self, usage: CacheUsage) -> bytes:
        """The chunk with the finish reason, the usage if requested, and `[DONE]`."""
        closing = b""
        if self._answer.tool is not None:
            if self._text_end == self._answer.total:  # a call without tokens
                closing = self._opening()
            closing += self._call[0] + _escaped(ARGUMENTS_CLOSE) + self._call[1]
        end = b'{},"logprobs":null,"finish_reason":"%s"}]}\n\n' % self._answer.finish.value.encode()
        cost = b""
        if self._include_usage:
            cost = self._open + b'[],"usage":' + msgspec.json.encode(self._usage(usage)) + b"}\n\n"
        return closing + self._choice + end + cost + b"data: [DONE]\n\n"

    def body(self, usage: CacheUsage) -> bytes:
        """The chat completion."""
        answer = self._answer
        message: dict[str, Any] = {"role": ASSISTANT, "content": answer.text}
        if answer.tool is not None:
            call = {"name": answer.tool, "arguments": answer.arguments}
            message["content"] = answer.text or None
            message["tool_calls"] = [{"id": self._call_id, "type": "function", "function": call}]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish.value}
        return msgspec.json.encode(
            {
                "id": self._id,
                "object": "chat.completion",
                "created": self._unix_s,
                "model": self._model,
                "choices": [choice],
                "usage": self._usage(usage),
            }
        )

    def error(self, message: str) -> bytes:
        """`{"error": {...}}`, as an event if the answer is streamed."""
        body = OpenAIApi().error(500, message)
        return b"data: " + body + b"\n\n" if self._streaming else body

    def replace_tokens(self, start: int, tokens: str) -> None:
        """See `Renderer.replace_tokens`."""
        replaced = self._answer.tokens[: 4 * start] + tokens
        self._answer = replace(self._answer, tokens=replaced[: 4 * self._answer.total])
        self._tokens = self._answer.tokens.encode()

    def _opening(self) -> bytes:
        call = {"name": self._answer.tool, "arguments": ARGUMENTS_OPEN}
        delta = {"tool_calls": [{"index": 0, "id": self._call_id, "type": "function", "function": call}]}
        return self._choice + msgspec.json.encode(delta) + b',"logprobs":null,"finish_reason":null}]}\n\n'

    def _usage(self, usage: CacheUsage) -> dict[str, Any]:
        prompt, completion = self._answer.prompt_tokens, self._answer.count
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        }


def _chunks(frame: tuple[bytes, bytes], tokens: bytes) -> bytes:
    before, after = frame
    if len(tokens) == 4:
        return before + tokens + after
    return b"".join([before + tokens[at : at + 4] + after for at in range(0, len(tokens), 4)])


def _escaped(text: str) -> bytes:
    return msgspec.json.encode(text)[1:-1]


def _body(message: _Message) -> str:
    content = message.content
    if isinstance(content, str):
        text = content
    elif content is None:
        text = ""
    else:
        text = "".join([f"<|{part.type}|>" if part.text is None else part.text for part in content])
    if message.tool_calls:
        text += "".join([call_text(call.function.name, call.function.arguments) for call in message.tool_calls])
    return text


def _tool_choice(choice: str | dict[str, Any] | None, names: tuple[str, ...]) -> tuple[str | None, bool]:
    """Returns the tool to call ("": any, None: none), and whether a call is required."""
    if choice is None or choice == "auto":
        return "", False
    if choice == "none":
        return None, False
    if choice == "required":
        return "", True
    function = choice.get("function") if isinstance(choice, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(name, str) or name not in names:
        raise RequestError("tool_choice: must be 'none', 'auto', 'required' or name a function of `tools`")
    return name, True
