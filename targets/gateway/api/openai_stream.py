"""One response of `/v1/chat/completions` as its client sees it.

Every event is decoded, which is cheaper than searching for keywords; text events are forwarded unchanged. Chunks before
the first content (the role) are held back until it arrives, tool calls and the finish until the response is complete.
So the client only has text when an attempt fails, and the response is continued from that text.
"""

from __future__ import annotations

from typing import Any

import msgspec

from targets.gateway.api.answer import AnswerStream, Hold, append_text, reduced_limits
from targets.gateway.api.incoming import Body
from targets.gateway.api.sse import data_of, has_unknown_field, split

__all__ = ["OpenAIStream"]

_DONE = b"data: [DONE]\n\n"
_RESPONSE_FIELDS = ("id", "object", "created", "model", "system_fingerprint", "service_tier")


class _Delta(msgspec.Struct):
    content: str | None = None
    tool_calls: Any = None
    function_call: Any = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None

    @property
    def more_than_text(self) -> bool:
        return bool(self.reasoning_content or self.reasoning or self.refusal)

    @property
    def has_tools(self) -> bool:
        return bool(self.tool_calls or self.function_call)


class _Choice(msgspec.Struct):
    index: int = 0
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []
    error: Any = None
    usage: dict[str, Any] | None = None


_decode_chunk = msgspec.json.Decoder(_Chunk).decode


class OpenAIStream(AnswerStream):
    """See `AnswerStream`. A request for several choices (`n`) cannot be continued."""

    def __init__(self, body: Body, hold: bool) -> None:
        self._include_usage = bool(body.stream_options is not None and body.stream_options.include_usage)
        self._head: bytes = b""  # data of the first chunk that the client got
        super().__init__(body.max_completion_tokens or body.max_tokens, hold and body.n in (None, 1))

    def _started(self) -> None:
        self._usage_seen = False
        if not self._continues:
            self._head = b""

    def feed(self, whole: bytes) -> bytes:
        if self._state is Hold.OPEN and not self._continues:
            events = split(whole)
            if all(_is_plain(event) for event in events):
                self.events += len(events)
                self._keep(whole)
                return whole
        out: list[bytes] = []
        self._take_all(whole, out)
        return b"".join(out)

    def _take(self, event: bytes, out: list[bytes]) -> None:
        data = data_of(event)
        if data == b"[DONE]":
            self._complete(event, out)
            return
        if has_unknown_field(event):
            raise ValueError("a line without a known field name")
        if not data:  # a comment
            (out if self._state is Hold.OPEN else self._held).append(event)
            return
        chunk = _decode_chunk(data)
        if chunk.error is not None:
            self.error = _message_of(chunk.error)
            return
        if not self._head:
            self._head = data
        deltas = [choice.delta for choice in chunk.choices if choice.delta is not None]
        has_text = any(delta.content or delta.more_than_text for delta in deltas)
        has_tools = any(delta.has_tools for delta in deltas)
        finishes = any(choice.finish_reason is not None for choice in chunk.choices)
        self.first_token = self.first_token or has_text or has_tools
        self._finished = self._finished or finishes
        self._usage_seen = self._usage_seen or chunk.usage is not None
        if self._continues:
            rewritten = self._rewritten(data, chunk.usage is not None or has_text or has_tools or finishes)
            if rewritten is None:
                return
            event = rewritten
        if self._hold_tail and (has_tools or finishes):
            self._state = Hold.TAIL
        elif self._state is Hold.HEAD and (has_text or has_tools or finishes):
            self._state = Hold.OPEN
        if self._state is Hold.OPEN:
            self._emit(event, out)
        else:
            self._held.append(event)

    def closing(self) -> bytes | None:
        out: list[bytes] = []
        if not self._finished:
            if not self._all_sent() or self._state is Hold.TAIL:
                return None
            self._held.append(self._chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "length"}]))
        if self._include_usage and not self._usage_seen and self._hold_tail:
            completion = self.tokens
            usage = {"prompt_tokens": 0, "completion_tokens": completion, "total_tokens": completion}
            self._held.append(self._chunk(choices=[], usage=usage))
        self._complete(_DONE, out)
        return b"".join(out)

    def continuation(self, raw: bytes) -> bytes:
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        messages: list[Any] = msgspec.json.decode(fields["messages"], type=list[msgspec.Raw])
        last = msgspec.json.decode(messages[-1], type=dict[str, Any]) if messages else {}
        # As a replica does: a final assistant message is continued unless the client forbids it.
        continues = msgspec.json.decode(fields.get("continue_final_message", b"null")) is not False
        if continues and last.get("role") == "assistant" and not last.get("tool_calls"):
            messages[-1] = {**last, "content": append_text(last.get("content"), self.text)}
        else:
            messages.append({"role": "assistant", "content": self.text})
        changed: dict[str, Any] = {
            **fields,
            **reduced_limits(fields, ("max_tokens", "max_completion_tokens"), self.tokens),
            "messages": messages,
            "continue_final_message": True,
            "add_generation_prompt": False,
        }
        return msgspec.json.encode(changed)

    @staticmethod
    def error_event(message: str) -> bytes:
        return b"data: " + OpenAIStream.error_body(502, message) + b"\n\n"

    @staticmethod
    def error_body(status: int, message: str) -> bytes:
        kind = _ERROR_TYPES.get(status, "server_error")
        return msgspec.json.encode({"error": {"message": message, "type": kind, "param": None, "code": status}})

    def _rewritten(self, data: bytes, wanted: bool) -> bytes | None:
        """Returns a later attempt's chunk as part of the first one's response; None: the client already has it."""
        if not wanted:
            return None
        chunk: dict[str, Any] = msgspec.json.decode(data)
        head: dict[str, Any] = msgspec.json.decode(self._head)
        chunk.update((name, head[name]) for name in _RESPONSE_FIELDS if name in head)
        for choice in chunk.get("choices") or ():
            if isinstance(choice.get("delta"), dict):
                choice["delta"].pop("role", None)
        if chunk.get("usage"):
            _merge_usage(chunk["usage"], self._offset)
        return _event(chunk)

    def _chunk(self, **fields: Any) -> bytes:
        head: dict[str, Any] = msgspec.json.decode(self._head) if self._head else {}
        return _event({**{name: head[name] for name in _RESPONSE_FIELDS if name in head}, **fields})

    def _parse(self, events: bytes) -> tuple[str, bool]:
        text: list[str] = []
        plain = True
        for event in split(events):
            data = data_of(event)
            if not data or data == b"[DONE]":
                continue
            try:
                chunk = _decode_chunk(data)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                plain = False
                continue
            for choice in chunk.choices:
                if choice.delta is not None:
                    text.append(choice.delta.content or "")
                    plain = plain and not choice.delta.more_than_text
        return "".join(text), plain


_ERROR_TYPES = {
    400: "invalid_request_error",
    404: "invalid_request_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
}


def _is_plain(event: bytes) -> bool:
    """Whether an event is a chunk with only text (or reasoning), which can be forwarded unchanged."""
    if not event.startswith(b"data: {") or event.find(b"\n") != len(event) - 2:
        return False
    try:
        chunk = _decode_chunk(event[6:-2])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    if chunk.error is not None or chunk.usage is not None or not chunk.choices:
        return False
    for choice in chunk.choices:
        if choice.finish_reason is not None or choice.delta is None or choice.delta.has_tools:
            return False
    return True


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"


def _merge_usage(usage: dict[str, Any], offset: int) -> None:
    """Moves the tokens that the client already had from the prompt of this attempt to the completion."""
    prompt = max(0, int(usage.get("prompt_tokens") or 0) - offset)
    completion = int(usage.get("completion_tokens") or 0) + offset
    usage.update(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)
    details = usage.get("prompt_tokens_details")
    if isinstance(details, dict) and isinstance(details.get("cached_tokens"), int):
        details["cached_tokens"] = min(details["cached_tokens"], prompt)


def _message_of(error: Any) -> str:
    if isinstance(error, dict):
        return str(error.get("message") or error)
    return str(error)
