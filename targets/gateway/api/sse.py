"""Server-sent events as bytes: cuts a stream of reads into whole events, and extracts their data."""

from __future__ import annotations

__all__ = ["Framer", "data_of", "has_unknown_field", "split"]

_END = b"\n\n"
_FIELDS = frozenset((b"data", b"event", b"id", b"retry", b""))  # b"": a comment


class Framer:
    """Cuts reads at event boundaries. One per response."""

    __slots__ = ("_crlf", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._crlf = False

    @property
    def rest(self) -> bytes:
        """The bytes of the incomplete event."""
        return self._rest

    def push(self, data: bytes) -> bytes:
        """Adds one read. Returns all whole events, with their blank lines; b"" if there is none yet."""
        if self._rest:
            data = self._rest + data
            self._rest = b""
        if self._crlf or b"\r" in data:  # JSON escapes \\r, so this one can only be part of a line end
            self._crlf = True
            if data.endswith(b"\r"):
                self._rest, data = b"\r", data[:-1]
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if data.endswith(_END):
            return data
        end = data.rfind(_END) + 2
        if end == 1:
            self._rest = data + self._rest
            return b""
        self._rest = data[end:] + self._rest
        return data[:end]


def split(whole: bytes) -> list[bytes]:
    """Returns the events one by one, each with its blank line."""
    return [event + _END for event in whole.split(_END) if event.strip(b"\n")]


def data_of(event: bytes) -> bytes:
    """Returns the data of one event: its `data:` lines; b"" for a comment."""
    if event.startswith(b"data: ") and event.find(b"\n") == len(event) - 2:
        return event[6:-2]
    lines = []
    for line in event.split(b"\n"):
        if line.startswith(b"data:"):
            value = line[5:]
            lines.append(value[1:] if value.startswith(b" ") else value)
    return b"\n".join(lines)


def has_unknown_field(event: bytes) -> bool:
    """Whether a line of the event has no known field name. A browser skips such a line; a proxy must not, because the
    line may be a broken token."""
    return any(line and line.partition(b":")[0] not in _FIELDS for line in event.split(b"\n"))
