"""Slowed streams while the engine runs at full speed: tokens that are sent later, bytes that trickle.

A `TokenPace` is pure: it computes how many tokens may have been sent at a time. A `TrickleWriter` stands between a
stream and its socket.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["TokenPace", "TrickleWriter"]


class TokenPace:
    """The earliest send time of each further token of a stream, in the engine's seconds.

    Tokens are at least `gap_s` seconds apart. A token produced t seconds after `at`, the start of the pace, is sent at
    the earliest `factor` * t seconds after `at`.
    """

    __slots__ = ("_due", "_factor", "_gap_s", "_sent", "_start")

    def __init__(self, at: float, sent: int, *, factor: float = 1.0, gap_s: float = 0.0) -> None:
        self._start = at
        self._sent = sent  # tokens sent before the start
        self._factor = factor
        self._gap_s = gap_s
        self._due: list[float] = []

    def add_produced(self, count: int, at: float) -> None:
        """The first `count` tokens of the stream have been produced, the new ones at time `at`."""
        while self._sent + len(self._due) < count:
            earliest = self._start + self._factor * max(0.0, at - self._start)
            self._due.append(max(earliest, self._due[-1] + self._gap_s) if self._due else earliest)

    def allowed(self, now: float) -> int:
        """Returns how many tokens of the stream may have been sent at `now`."""
        return self._sent + bisect_right(self._due, now)

    def next_at(self, now: float) -> float:
        """Returns when the next produced token may be sent; infinity if none waits."""
        index = self.allowed(now) - self._sent
        return self._due[index] if index < len(self._due) else math.inf


class CallLater(Protocol):
    """`loop.call_later`."""

    def __call__(self, delay: float, callback: Callable[..., object], /, *args: Any) -> object:
        """Call `callback` after `delay` seconds."""


class TrickleWriter:
    """Writes `size` bytes every `every_s` seconds, the first bytes at once."""

    __slots__ = ("_call_later", "_every_s", "_queue", "_size", "_ticking", "_write")

    def __init__(self, write: Callable[[bytes], object], call_later: CallLater, size: int, every_s: float) -> None:
        self._write = write
        self._call_later = call_later
        self._size = size
        self._every_s = every_s
        self._queue: deque[tuple[bytes, Callable[[], None] | None]] = deque()
        self._ticking = False

    def write(self, data: bytes, on_written: Callable[[], None] | None = None) -> None:
        """Queue `data`; call `on_written` after its last byte."""
        self._queue.append((data, on_written))
        if not self._ticking:
            self._tick()

    def flush(self) -> None:
        """Write all queued bytes at once."""
        while self._queue:
            self._write_next(None)

    def _tick(self) -> None:
        self._ticking = False
        if self._queue:
            self._write_next(self._size)
        if self._queue:
            self._ticking = True
            self._call_later(self._every_s, self._tick)

    def _write_next(self, size: int | None) -> None:
        data, on_written = self._queue.popleft()
        if size is not None and len(data) > size:
            self._queue.appendleft((data[size:], on_written))
            self._write(data[:size])
            return
        if data:
            self._write(data)
        if on_written is not None:
            on_written()
