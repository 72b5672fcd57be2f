"""One response of `/v1/messages` (the Anthropic Messages API) as its client sees it.

As in `openai_stream`, text events are forwarded unchanged. Held back are: events before the first text
(`message_start`, the block's start) until it arrives, a block's end until the next event, tool blocks and the finish
until the response is complete. After a failure the response is continued from its text, as an assistant prefill.
"""

from __future__ import annotations

from typing import Any

import msgspec

from targets.gateway.api.answer import AnswerStream, Hold, append_text, reduced_limits
from targets.gateway.api.incoming import Body
from targets.gateway.api.sse import data_of, has_unknown_field, split

__all__ = ["AnthropicStream"]

_PROMPT_USAGE = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
_TEXT_BLOCKS = frozenset({"text", "thinking", "redacted_thinking"})
_DELTA = b"event: content_block_delta\ndata: {"
_MESSAGE_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


class _Block(msgspec.Struct):
    type: str = ""


class _Delta(msgspec.Struct):
    type: str = ""
    text: str = ""
    stop_reason: str | None = None


class _Event(msgspec.Struct):
    type: str = ""
    index: int = 0
    content_block: _Block | None = None
    delta: _Delta | None = None
    error: Any = None


_decode_event = msgspec.json.Decoder(_Event).decode


class AnthropicStream(AnswerStream):
    """See `AnswerStream`."""

    def __init__(self, body: Body, hold: bool) -> None:
        self._head: bytes = b""  # data of the message_start that the client got
        self._open_block = 0  # index of the client's last text block
        super().__init__(body.max_tokens, hold)

    def _started(self) -> None:
        self._joined = not self._continues  # whether this attempt's blocks continue the client's
        self._shift = 0
        if not self._continues:
            self._head = b""
            self._open_block = 0

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
        if has_unknown_field(event):
            raise ValueError("a line without a known field name")
        parsed = _decode_event(data) if data else _Event()
        if parsed.error is not None:
            self.error = str(parsed.error.get("message") if isinstance(parsed.error, dict) else parsed.error)
        elif parsed.type == "message_stop":
            self._complete(event, out)
        elif parsed.type in ("", "ping"):
            (out if self._state is Hold.OPEN else self._held).append(event)
        elif parsed.type == "message_start":
            if not self._continues:
                self._head = data
                self._pass_or_hold(event, out)
        else:
            if self._continues:
                rewritten = self._rewritten(parsed, data)
                if rewritten is None:
                    return
                event = rewritten
            self._block_event(parsed, event, out)

    def _block_event(self, parsed: _Event, event: bytes, out: list[bytes]) -> None:
        kind = parsed.delta.type if parsed.delta is not None else ""
        if parsed.type == "content_block_start":
            is_text = parsed.content_block is not None and parsed.content_block.type in _TEXT_BLOCKS
            if is_text:
                self._open_block = parsed.index + self._shift
                if self._state is Hold.PAUSE:
                    self._state = Hold.OPEN
            elif self._hold_tail:
                self._state = Hold.TAIL
        elif parsed.type == "content_block_delta":
            self.first_token = True
            if self._state is Hold.HEAD and (kind != "input_json_delta" or not self._hold_tail):
                self._state = Hold.OPEN
        elif parsed.type == "content_block_stop":
            if self._state is Hold.OPEN and self._hold_tail:
                self._state = Hold.PAUSE
        elif parsed.type == "message_delta" and parsed.delta is not None and parsed.delta.stop_reason is not None:
            self._finished = True
            self._state = Hold.TAIL if self._hold_tail else Hold.OPEN
        self._pass_or_hold(event, out)

    def _pass_or_hold(self, event: bytes, out: list[bytes]) -> None:
        if self._state is Hold.OPEN:
            self._emit(event, out)
        else:
            self._held.append(event)

    def _rewritten(self, parsed: _Event, data: bytes) -> bytes | None:
        """Returns a later attempt's event as part of the first one's message; None: the client already has it."""
        before = b""
        if not self._joined:
            self._joined = True
            if parsed.type == "content_block_start":
                if parsed.content_block is not None and parsed.content_block.type == "text":
                    self._shift = self._open_block - parsed.index
                    return None
                self._shift = self._open_block + 1 - parsed.index
            if parsed.type in ("content_block_start", "message_delta"):  # only tools or the end remain
                before = _event({"type": "content_block_stop", "index": self._open_block})
        changed: dict[str, Any] = msgspec.json.decode(data)
        if "index" in changed:
            changed["index"] += self._shift
        if isinstance(changed.get("usage"), dict):
            self._merge_usage(changed["usage"])
        return before + _event(changed)

    def _merge_usage(self, usage: dict[str, Any]) -> None:
        if isinstance(usage.get("output_tokens"), int):
            usage["output_tokens"] += self._offset
        first = msgspec.json.decode(self._head)["message"].get("usage") or {}
        usage.update((name, first[name]) for name in _PROMPT_USAGE if name in usage and name in first)

    def closing(self) -> bytes | None:
        out: list[bytes] = []
        if not self._finished:
            if not self._all_sent() or self._state is Hold.TAIL:
                return None
            if self._state is not Hold.PAUSE:
                self._held.append(_event({"type": "content_block_stop", "index": self._open_block}))
            delta = {"stop_reason": "max_tokens", "stop_sequence": None}
            usage = {"output_tokens": self.tokens}
            self._held.append(_event({"type": "message_delta", "delta": delta, "usage": usage}))
        self._complete(_MESSAGE_STOP, out)
        return b"".join(out)

    def continuation(self, raw: bytes) -> bytes:
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        messages: list[Any] = msgspec.json.decode(fields["messages"], type=list[msgspec.Raw])
        last = msgspec.json.decode(messages[-1], type=dict[str, Any]) if messages else {}
        if last.get("role") == "assistant":  # the client's own prefill
            messages[-1] = {**last, "content": append_text(last.get("content"), self.text)}
        else:
            messages.append({"role": "assistant", "content": self.text})
        changed: dict[str, Any] = {
            **fields,
            **reduced_limits(fields, ("max_tokens",), self.tokens),
            "messages": messages,
        }
        return msgspec.json.encode(changed)

    @staticmethod
    def error_event(message: str) -> bytes:
        return b"event: error\ndata: " + AnthropicStream.error_body(502, message) + b"\n\n"

    @staticmethod
    def error_body(status: int, message: str) -> bytes:
        kind = _ERROR_TYPES.get(status, "api_error")
        return msgspec.json.encode({"type": "error", "error": {"type": kind, "message": message}})

    def _parse(self, events: bytes) -> tuple[str, bool]:
        text: list[str] = []
        plain = True
        for event in split(events):
            data = data_of(event)
            try:
                delta = _decode_event(data).delta if data else None
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                plain = False
                continue
            if delta is not None:
                text.append(delta.text)
                plain = plain and delta.type in ("text_delta", "")
        return "".join(text), plain


_ERROR_TYPES = {
    400: "invalid_request_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
}


def _is_plain(event: bytes) -> bool:
    """Whether an event is a text delta, which can be forwarded unchanged."""
    if not event.startswith(_DELTA) or event.find(b"\n", len(_DELTA)) != len(event) - 2:
        return False
    try:
        parsed = _decode_event(event[len(_DELTA) - 1 : -2])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    delta = parsed.delta
    return (
        parsed.type == "content_block_delta"
        and parsed.error is None
        and delta is not None
        and delta.type == "text_delta"
    )


def _event(fields: dict[str, Any]) -> bytes:
    return b"event: " + str(fields["type"]).encode() + b"\ndata: " + msgspec.json.encode(fields) + b"\n\n"
