"""Reads one streamed answer, without I/O: takes bytes and their arrival times, returns an `Answer`.

The chunks of a stream differ only in their content. So once a chunk is parsed, the bytes before and after its content
are kept as a template. A later chunk with the same bytes around a string without quotes and escapes is the same JSON
with another string, and needs a few comparisons instead of a decoder (fast path). Other chunks are decoded (slow path).
"""

from __future__ import annotations

from loadprofiles.client.answer import Answer, merge_usage
from loadprofiles.client.error_text import body_text, excerpt
from loadprofiles.client.sse import BYTE_ORDER_MARK, parse_block, split_blocks
from loadprofiles.client.token_estimate import FRAME_CLOSE, FRAME_OPEN, TokenCounter, weight_of
from loadprofiles.client.tool_calls import ReceivedToolCall, ToolCalls
from loadprofiles.client.wire import CorruptAnswerError, Delta, ToolPiece, Usage, Wire

__all__ = ["MAX_EVENT_BYTES", "StreamReader", "read_complete_body"]

MAX_EVENT_BYTES = 64 * 1024 * 1024
"""A longer event makes the answer corrupt: it is not an event stream."""

_FIELDS = (b"data", b"event", b"id:", b"retry:", b":")
"""The beginnings of the lines of an event stream."""
_MAX_STRANGE = 100
_LONG_REST = 64 * 1024
_CONTROLS = bytes(range(32))


class StreamReader:
    """Collects the answer of one streamed attempt."""

    def __init__(self, wire: Wire) -> None:
        self.answer = Answer()
        self.stopped = False
        """True after an error event or unparseable data: later bytes are ignored, and the client closes."""
        self._wire = wire
        self._rest = b""
        self._more: list[bytes] = []
        """Further bytes of a long rest."""
        self._held = 0
        self._after_cr = False
        """The last byte was the CR of a blank line: an LF that follows belongs to it."""
        self._started = False
        self._whole_events = False
        """All bytes so far were whole events, so that the next ones begin an event."""
        self._events = 0
        self._strange: list[bytes] = []
        """Blocks that are no events, from before the first event."""
        self._text: list[bytes] = []
        self._controls = 0
        """Number of control characters in the text that were escaped in JSON, as they must be."""
        self._tool_calls = ToolCalls()
        self._before = self._after = b""
        self._target = self._text
        self._tokens_of = TokenCounter().add
        self._log_time = self.answer.chunk_times_s.append
        self._log_tokens = self.answer.chunk_tokens.append

    def feed(self, data: bytes, now_s: float) -> None:
        """Reads bytes of the body that arrived at `now_s`. Ignores them once `stopped`."""
        if self.stopped:
            return
        if self._whole_events and data.endswith(b"\n\n") and b"\r" not in data:
            blocks = data[:-2].split(b"\n\n")
        else:
            blocks = self._split(data)
            if not blocks:
                return
        before, after = self._before, self._after
        head, tail = len(before), len(after)
        for block in blocks:
            if head and block.startswith(before) and block.endswith(after) and len(block) > head + tail:
                piece = block[head:-tail]
                if b'"' not in piece and b"\\" not in piece:
                    weight = len(piece) if piece.isascii() else weight_of(piece.decode("utf-8", "replace"))
                    self._target.append(piece)
                    self._log_time(now_s)
                    self._log_tokens(self._tokens_of(weight))
                    continue
            self._read(block, now_s)
            if self.stopped:
                return
            if self._before is not before or self._after is not after:
                before, after = self._before, self._after
                head, tail = len(before), len(after)

    def _split(self, data: bytes) -> list[bytes]:
        """The blocks that are complete with these bytes. Keeps the rest."""
        if self._rest:
            if len(self._rest) > _LONG_REST and b"\n" not in data and b"\r" not in data:
                self._hold(data)
                return []
            data = self._rest + b"".join(self._more) + data
            self._more.clear()
            self._held = 0
        if not self._started:
            data = self._without_byte_order_mark(data)
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]
        blocks, self._rest = split_blocks(data)
        self._after_cr = not self._rest and data.endswith(b"\r")
        self._whole_events = self._started and not self._rest and not self._after_cr
        if not blocks and len(self._rest) > MAX_EVENT_BYTES:
            self._mark_corrupt(f"an event is longer than {MAX_EVENT_BYTES} bytes")
        return blocks

    def _hold(self, data: bytes) -> None:
        """Keeps more bytes of a long event, without joining them each time."""
        self._more.append(data)
        self._held += len(data)
        if self._held > MAX_EVENT_BYTES:
            self._mark_corrupt(f"an event is longer than {MAX_EVENT_BYTES} bytes")

    def _without_byte_order_mark(self, data: bytes) -> bytes:
        if data.startswith(BYTE_ORDER_MARK):
            data = data[len(BYTE_ORDER_MARK) :]
        elif BYTE_ORDER_MARK.startswith(data):
            return data  # perhaps the beginning of one
        self._started = True
        return data

    def finish(self, message_complete: bool, now_s: float | None = None) -> Answer:
        """The answer, after the last byte.

        `now_s`: when that arrived. A last event without its blank line counts if the HTTP message is complete and the
        event is too.
        """
        answer = self.answer
        if message_complete and not self.stopped:
            at_s = now_s if now_s is not None else (answer.chunk_times_s or [0.0])[-1]
            self._read_rest(self._rest + b"".join(self._more), at_s)
        try:
            text = b"".join(self._text)
            answer.text = text.decode()
            answer.tool_calls = self._tool_calls.received()
            if _controls_in(text) > self._controls:  # the fast path does not look for them
                answer.corrupt = answer.corrupt or "a string in an event has a control character in it: that is no JSON"
        except UnicodeDecodeError as error:
            answer.corrupt = answer.corrupt or f"the text is not UTF-8: {error.reason}"
        return answer

    def _read_rest(self, rest: bytes, now_s: float) -> None:
        blocks, rest = split_blocks(rest + b"\n\n")
        for block in filter(bytes.strip, [*blocks, rest]):
            try:
                self._take(block, now_s)
            except CorruptAnswerError:
                break  # the beginning of an event
        if self._strange and not self._events:
            self._read_other_body(b"\n\n".join(self._strange))

    def _read_other_body(self, body: bytes) -> None:
        """Reads a body that is no event stream: an error object, or something that was not asked for."""
        try:
            delta = self._wire.decode_body(body)
        except CorruptAnswerError:
            self._mark_corrupt(f"the body is not an event stream: {body_text(body) or excerpt(body)}")
            return
        if delta.error is not None:
            self.answer.error = delta.error
            self.stopped = True
            return
        self._mark_corrupt("the target does not stream: it sent one JSON body in place of an event stream")

    def _mark_corrupt(self, why: str) -> None:
        self.answer.corrupt = why
        self.stopped = True

    def _read(self, block: bytes, now_s: float) -> None:
        try:
            self._take(block, now_s)
        except CorruptAnswerError as error:
            if not self.answer.end_count:  # after its end, nothing can spoil an answer
                self._mark_corrupt(str(error))

    def _take(self, block: bytes, now_s: float) -> None:
        """The slow path: parses the event and decodes its JSON. Raises `CorruptAnswerError`."""
        name, data = parse_block(block)
        if data is None:
            if not self._events and len(self._strange) < _MAX_STRANGE and _is_strange(block):
                self._strange.append(block)
            return
        delta = self._wire.decode_event(name, data)
        self._events += 1
        if delta is None:
            return
        answer = self.answer
        if answer.end_count:  # the SDKs read nothing after the end
            answer.end_count += delta.done
            return
        self._take_pieces(block, delta, now_s)
        if delta.error is not None:
            answer.error = delta.error
            self.stopped = True
            return
        if delta.finish is not None:
            answer.finish = delta.finish
            answer.finish_count += 1
        if delta.done:
            answer.end_count += 1
            self._before = self._after = b""
        if delta.model is not None:
            answer.model = delta.model
        if delta.usage is not None:
            answer.usage = merge_usage(answer.usage, delta.usage)

    def _take_pieces(self, block: bytes, delta: Delta, now_s: float) -> None:
        weight = 0
        if delta.content:
            raw = delta.content.encode("utf-8", "replace")
            self._text.append(raw)
            self._controls += _controls_in(raw)
            weight += weight_of(delta.content)
            self._make_template(block, delta, delta.content, self._text, 0)
        for piece in delta.tool_pieces:
            weight += self._take_tool_piece(block, delta, piece)
        weight += weight_of(delta.reasoning)
        if weight or delta.tool_pieces or delta.other:
            self._log(weight, now_s)

    def _take_tool_piece(self, block: bytes, delta: Delta, piece: ToolPiece) -> int:
        call, begins = self._tool_calls.find(piece)
        if begins:
            self._before = self._after = b""  # a template of another call
        text = piece.arguments or ("" if call.pieces else piece.whole)
        if piece.arguments:
            call.framed = call.framed or (not call.pieces and piece.arguments.startswith(FRAME_OPEN))
            call.pieces.append(piece.arguments.encode("utf-8", "replace"))
            self._make_template(block, delta, piece.arguments, call.pieces, 1)
        return _argument_weight(text, call.framed, first=len(call.pieces) == 1)

    def _log(self, weight: int, now_s: float) -> None:
        """Logs a chunk of this size (quarters of a token)."""
        self._log_time(now_s)
        self._log_tokens(self._tokens_of(weight))

    def _make_template(self, block: bytes, delta: Delta, piece: str, target: list[bytes], kind: int) -> None:
        """Makes a template from a block whose only variable part is this piece."""
        raw = piece.encode("utf-8", "replace")
        pieces = len(delta.tool_pieces) + bool(delta.content) + bool(delta.reasoning)
        if pieces != 1 or delta.other or delta.finish is not None or delta.usage is not None:
            return
        if b'"' in raw or b"\\" in raw or block.count(raw) != 1 or (delta.tool_pieces and delta.tool_pieces[0].name):
            return
        before, after = block.split(raw)
        key = self._wire.piece_keys[kind]
        if before.replace(b'": "', b'":"').endswith(key + b'"') and after.startswith(b'"') and b"\r" not in block:
            self._before, self._after = before, after
            self._target = target


def _controls_in(text: bytes) -> int:
    return len(text) - len(text.translate(None, _CONTROLS))


def _is_strange(block: bytes) -> bool:
    """Whether a block without data is of no event stream: an object, a page, or lines that are no fields."""
    begin = block.lstrip()[:1]
    return begin in (b"{", b"[", b"<") or (
        begin != b"" and not any(line.startswith(_FIELDS) for line in block.split(b"\n"))
    )


def _argument_weight(text: str, framed: bool, *, first: bool) -> int:
    """The size of a piece of arguments, in quarters of a token, without the frame of a simulated call."""
    weight = weight_of(text)
    if framed and first:
        weight -= len(FRAME_OPEN)
    if framed and text.endswith(FRAME_CLOSE):
        weight -= len(FRAME_CLOSE)
    return max(weight, 0)


def read_complete_body(wire: Wire, body: bytes, now_s: float) -> Answer:
    """The answer of an attempt that was not streamed. `now_s`: arrival of its last byte."""
    answer = Answer()
    if not body.strip():
        answer.corrupt = "the body is empty"
        return answer
    try:
        delta = wire.decode_body(body)
        weight = weight_of(delta.content) + weight_of(delta.reasoning)
        for piece in delta.tool_pieces:  # each is a complete call
            text = piece.arguments or piece.whole
            weight += _argument_weight(text, text.startswith(FRAME_OPEN), first=True)
            if not piece.server:
                answer.tool_calls.append(ReceivedToolCall(piece.name, text))
    except CorruptAnswerError as error:
        text = body_text(body) if not body.lstrip().startswith(b"{") else ""
        answer.corrupt = f"the body is not JSON: {text}" if text else str(error)
        return answer
    answer.text = delta.content
    answer.error, answer.finish, answer.model = delta.error, delta.finish, delta.model
    answer.finish_count, answer.end_count = int(delta.finish is not None), int(delta.done)
    answer.usage = delta.usage or Usage()
    if weight or delta.tool_pieces or delta.other:
        answer.chunk_times_s, answer.chunk_tokens = [now_s], [TokenCounter().add(weight)]
    return answer
