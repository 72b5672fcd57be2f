"""Parser of server-sent events, without I/O: splits bytes into event blocks, and a block into its event and data.

Line ends may be LF, CRLF or CR. A block without its final blank line is not returned as an event, so a truncated
stream is detected. Source: WHATWG HTML, section 9.2.
"""

from __future__ import annotations

__all__ = ["BYTE_ORDER_MARK", "parse_block", "split_blocks"]

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""May stand at the beginning of a stream, and is not part of it."""


def split_blocks(buffer: bytes) -> tuple[list[bytes], bytes]:
    """The complete blocks in `buffer`, and the rest, which the caller prepends to the next bytes."""
    if b"\r" in buffer:
        # A CR at the end may be the first half of CRLF. If it ends a blank line, the event is complete all the same,
        # and the LF that may follow is an empty line.
        held = b"\r" if buffer.endswith(b"\r") and not buffer.endswith((b"\r\r", b"\n\r")) else b""
        body = buffer[: len(buffer) - len(held)]
        buffer = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n") + held
    blocks = buffer.split(b"\n\n")
    return blocks, blocks.pop()


def parse_block(block: bytes) -> tuple[str, bytes | None]:
    """The event's name (default `message`) and its data; data is None for a block without a data line."""
    event = "message"
    data: list[bytes] = []
    for line in block.split(b"\n"):
        name, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]
        if name == b"data":
            data.append(value)
        elif name == b"event":
            event = value.decode("utf-8", "replace")
    return event or "message", b"\n".join(data) if data else None
