"""Client-side throttling (Google SRE book, "Handling Overload"): who mostly refuses is asked less often.

    p(not sent) = max(0, (requests - k x accepts) / (requests + 1))

Requests count whether they were sent or not; those that were sent count when it is known what became of them, so that a
prefill that takes long is no refusal. Sums over a sliding window of 120 slots.
"""

from __future__ import annotations

from collections import deque

from targets.gateway.config import Throttling

__all__ = ["Throttle"]

_SLOTS = 120


class Throttle:
    """Of one upstream (a replica or a pool). Times in seconds."""

    def __init__(self, config: Throttling) -> None:
        self._k = config.k
        self._window_s = config.window_s
        self._slot_s = config.window_s / _SLOTS
        self._slots: deque[list[float]] = deque()  # [start, requests, accepts]
        self._requests = 0.0
        self._accepts = 0.0

    def probability(self, now: float) -> float:
        """That the next request is not sent."""
        self._expire(now)
        return max(0.0, (self._requests - self._k * self._accepts) / (self._requests + 1.0))

    def refused(self, now: float) -> None:
        """A request was refused there, or was not sent."""
        self._slot(now)[1] += 1
        self._requests += 1

    def accepted(self, now: float) -> None:
        """An answer began."""
        slot = self._slot(now)
        slot[1] += 1
        slot[2] += 1
        self._requests += 1
        self._accepts += 1

    def _slot(self, now: float) -> list[float]:
        self._expire(now)
        if not self._slots or now - self._slots[-1][0] >= self._slot_s:
            self._slots.append([now, 0.0, 0.0])
        return self._slots[-1]

    def _expire(self, now: float) -> None:
        while self._slots and now - self._slots[0][0] >= self._window_s:
            _, requests, accepts = self._slots.popleft()
            self._requests -= requests
            self._accepts -= accepts
