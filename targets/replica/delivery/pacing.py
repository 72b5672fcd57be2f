"""How a behaviour slows one stream down while the engine goes on: tokens that go out later, bytes that dribble.

A `Pace` is pure: it says which tokens may be out by when. A `Dribble` stands between a stream and its socket.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["Dribble", "Pace"]


class Pace:
    """When each token of a stream may go out, from one of them on: at least `gap_s` seconds after the one before, and
    `factor` times as far from the beginning as it was made. Times are the engine's seconds."""

    __slots__ = ("_begun", "_due", "_factor", "_first", "_gap_s")

    def __init__(self, at: float, sent: int, *, factor: float = 1.0, gap_s: float = 0.0) -> None:
        self._begun = at
        self._first = sent  # tokens that are out already
        self._factor = factor
        self._gap_s = gap_s
        self._due: list[float] = []

    def made(self, count: int, at: float) -> None:
        """The stream's first `count` tokens are made; those that are new, at `at`."""
        while self._first + len(self._due) < count:
            earliest = self._begun + self._factor * max(0.0, at - self._begun)
            self._due.append(max(earliest, self._due[-1] + self._gap_s) if self._due else earliest)

    def allowed(self, now: float) -> int:
        """How many tokens of the stream may be out."""
        return self._first + bisect_right(self._due, now)

    def next_at(self, now: float) -> float:
        """When the next one may go out; infinite where none waits."""
        waiting = self.allowed(now) - self._first
        return self._due[waiting] if waiting < len(self._due) else math.inf


class CallLater(Protocol):
    """`loop.call_later`."""

    def __call__(self, delay: float, callback: Callable[..., object], /, *args: Any) -> object:
        """Call back after `delay` seconds."""


class Dribble:
    """Writes `size` bytes each `every_s` seconds; the first at once."""

    __slots__ = ("_call_later", "_every_s", "_parts", "_size", "_ticking", "_write")

    def __init__(self, write: Callable[[bytes], object], call_later: CallLater, size: int, every_s: float) -> None:
        self._write = write
        self._call_later = call_later
        self._size = size
        self._every_s = every_s
        self._parts: deque[tuple[bytes, Callable[[], None] | None]] = deque()
        self._ticking = False

    def push(self, data: bytes, end: Callable[[], None] | None = None) -> None:
        """These bytes go out behind those that wait; then `end` is called."""
        self._parts.append((data, end))
        if not self._ticking:
            self._tick()

    def release(self) -> None:
        """All that waits goes out at once."""
        while self._parts:
            self._next(None)

    def _tick(self) -> None:
        self._ticking = False
        if self._parts:
            self._next(self._size)
        if self._parts:
            self._ticking = True
            self._call_later(self._every_s, self._tick)

    def _next(self, size: int | None) -> None:
        data, end = self._parts.popleft()
        if size is not None and len(data) > size:
            self._parts.appendleft((data[size:], end))
            self._write(data[:size])
            return
        if data:
            self._write(data)
        if end is not None:
            end()
