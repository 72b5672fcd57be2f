"""Reads one streamed answer, without I/O: takes bytes and their arrival times, returns an `Answer`.

The chunks of a stream differ only in their content. So once a chunk is parsed, the bytes before and after its content
are kept as a template. A later chunk with the same bytes around a string without quotes and escapes is the same JSON
with another string, and needs a few comparisons instead of a decoder (fast path). Other chunks are decoded (slow path).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from loadprofiles.client.sse import parse_block, split_blocks
from loadprofiles.client.wire import CorruptAnswerError, Delta, Usage, Wire
from reports.shared.tokens import TOKEN_CHARS

__all__ = ["MAX_EVENT_BYTES", "Answer", "StreamReader", "read_complete_body"]

MAX_EVENT_BYTES = 4 * 1024 * 1024
"""A longer event makes the answer corrupt: it is not an event stream."""

_ARGUMENT_FRAME = len('{"input":"'), len('"}')


@dataclass(slots=True)
class Answer:
    """The content of one attempt's answer. Times are seconds on the caller's clock.

    `chunk_times_s` and `chunk_tokens`: arrival time and token count of each chunk that contains tokens (4 characters
    per token, running total rounded up). `finish_count`: number of finish reasons; `end_count`: number of end-of-stream
    events. `error`: the message of an error event. `corrupt`: why the answer cannot be parsed.
    """

    text: str = ""
    arguments: str = ""
    reasoning_chars: int = 0
    finish: str | None = None
    finish_count: int = 0
    end_count: int = 0
    error: str | None = None
    corrupt: str | None = None
    usage: Usage = field(default_factory=Usage)
    model: str | None = None
    chunk_times_s: list[float] = field(default_factory=list)
    chunk_tokens: list[int] = field(default_factory=list)

    @property
    def terminals(self) -> int:
        """Number of terminal events: 1 is correct; 0 if the finish reason or the end of the stream is missing."""
        return max(self.finish_count, self.end_count) if self.finish_count and self.end_count else 0

    @property
    def max_gap_s(self) -> float | None:
        """The longest gap between chunks that contain tokens, in seconds; None with fewer than two such chunks."""
        times = self.chunk_times_s
        return max(map(float.__sub__, times[1:], times), default=None)


class StreamReader:
    """Collects the answer of one streamed attempt."""

    def __init__(self, wire: Wire) -> None:
        self.answer = Answer()
        self.stopped = False
        """True after an error event or unparseable data: later bytes are ignored, and the client closes."""
        self._wire = wire
        self._rest = b""
        self._pieces: tuple[list[bytes], list[bytes]] = ([], [])
        self._before = self._after = b""
        self._target = self._pieces[0]
        self._template_kind = 0
        self._chars = 0
        self._argument_chars = 0
        self._tokens = 0

    def feed(self, data: bytes, now_s: float) -> None:
        """Reads bytes of the body that arrived at `now_s`. Ignores them once `stopped`."""
        if self.stopped:
            return
        blocks, self._rest = split_blocks(self._rest + data if self._rest else data)
        if not blocks:
            if len(self._rest) > MAX_EVENT_BYTES:
                self._mark_corrupt(f"an event is longer than {MAX_EVENT_BYTES} bytes")
            return
        before, after = self._before, self._after
        head, tail = len(before), len(after)
        for block in blocks:
            if head and block.startswith(before) and block.endswith(after) and len(block) > head + tail:
                piece = block[head:-tail]
                if b'"' not in piece and b"\\" not in piece:
                    self._target.append(piece)
                    chars = len(piece) if piece.isascii() else len(piece.decode("utf-8", "replace"))
                    if self._template_kind:
                        self._argument_chars += chars
                    self._count(chars, now_s)
                    continue
            self._read(block, now_s)
            if self.stopped:
                return
            if self._before is not before or self._after is not after:
                before, after = self._before, self._after
                head, tail = len(before), len(after)

    def finish(self, message_complete: bool) -> Answer:
        """The answer, after the last byte."""
        answer = self.answer
        text, arguments = self._pieces
        try:
            answer.text = b"".join(text).decode()
            answer.arguments = b"".join(arguments).decode()
        except UnicodeDecodeError as error:
            answer.corrupt = answer.corrupt or str(error)
        if message_complete and not self.stopped and not self._looks_like_event_stream() and self._rest.strip():
            answer.corrupt = "the body is not an event stream"
        return answer

    def _looks_like_event_stream(self) -> bool:
        answer = self.answer
        return bool(
            answer.chunk_times_s or answer.finish_count or answer.end_count or answer.model
        ) or self._rest.lstrip().startswith((b"data:", b"event:", b":"))

    def _mark_corrupt(self, why: str) -> None:
        self.answer.corrupt = why
        self.stopped = True

    def _read(self, block: bytes, now_s: float) -> None:
        """The slow path: parses the event and decodes its JSON."""
        name, data = parse_block(block)
        if data is None:
            return
        try:
            delta = self._wire.decode_event(name, data)
        except CorruptAnswerError as error:
            self._mark_corrupt(str(error))
            return
        answer = self.answer
        if delta.error is not None:
            answer.error = delta.error
            self.stopped = True
            return
        if delta.content:
            self._pieces[0].append(delta.content.encode())
            self._count(len(delta.content), now_s)
            self._make_template(block, delta, delta.content, 0)
        if delta.arguments:
            self._pieces[1].append(delta.arguments.encode())
            self._count_arguments(delta.arguments, now_s)
            self._make_template(block, delta, delta.arguments, 1)
        if delta.reasoning:
            answer.reasoning_chars += len(delta.reasoning)
            self._count(len(delta.reasoning), now_s)
        if delta.finish is not None:
            answer.finish = delta.finish
            answer.finish_count += 1
        if delta.done:
            answer.end_count += 1
        if delta.model is not None:
            answer.model = delta.model
        if delta.usage is not None:
            answer.usage = merge_usage(answer.usage, delta.usage)

    def _count(self, chars: int, now_s: float) -> None:
        self._chars += chars
        tokens = -(-self._chars // TOKEN_CHARS)
        if tokens > self._tokens:
            self.answer.chunk_times_s.append(now_s)
            self.answer.chunk_tokens.append(tokens - self._tokens)
            self._tokens = tokens

    def _count_arguments(self, piece: str, now_s: float) -> None:
        """Counts the tokens inside `{"input":"..."}`, without the JSON around them."""
        opening, closing = _ARGUMENT_FRAME
        start = self._argument_chars
        self._argument_chars += len(piece)
        chars = max(self._argument_chars - opening, 0) - max(start - opening, 0)
        if piece.endswith('"}'):
            chars -= closing
        elif (piece.endswith('"') and start + len(piece) > opening) or piece == "}":
            chars -= 1
        self._count(max(chars, 0), now_s)

    def _make_template(self, block: bytes, delta: Delta, piece: str, kind: int) -> None:
        """Makes a template from a block whose only variable part is this piece."""
        raw = piece.encode()
        if b'"' in raw or b"\\" in raw or delta.finish is not None or delta.usage is not None or block.count(raw) != 1:
            return
        before, after = block.split(raw)
        key = self._wire.piece_keys[kind]
        if before.replace(b'": "', b'":"').endswith(key + b'"') and after.startswith(b'"') and b"\r" not in block:
            self._before, self._after = before, after
            self._target, self._template_kind = self._pieces[kind], kind


def merge_usage(old: Usage, new: Usage) -> Usage:
    """Combines two reports of token counts. A later count replaces an earlier one, unless it is None."""
    return Usage(
        old.input_tokens if new.input_tokens is None else new.input_tokens,
        old.cached_tokens if new.cached_tokens is None else new.cached_tokens,
        old.output_tokens if new.output_tokens is None else new.output_tokens,
    )


def read_complete_body(wire: Wire, body: bytes, now_s: float) -> Answer:
    """The answer of an attempt that was not streamed. `now_s`: arrival of its last byte."""
    answer = Answer()
    try:
        delta = wire.decode_body(body)
    except CorruptAnswerError as error:
        answer.corrupt = str(error)
        return answer
    answer.text, answer.arguments, answer.reasoning_chars = delta.content, delta.arguments, len(delta.reasoning)
    answer.error, answer.finish, answer.model = delta.error, delta.finish, delta.model
    answer.finish_count, answer.end_count = int(delta.finish is not None), int(delta.done)
    answer.usage = delta.usage or Usage()
    chars = len(delta.content) + len(delta.reasoning)
    if delta.arguments:
        chars += max(len(delta.arguments) - sum(_ARGUMENT_FRAME), 0)
    if chars:
        answer.chunk_times_s, answer.chunk_tokens = [now_s], [-(-chars // TOKEN_CHARS)]
    return answer
