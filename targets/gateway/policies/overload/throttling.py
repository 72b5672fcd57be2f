"""Client-side throttling (Google SRE book, "Handling Overload"): a replica that rejects most requests gets fewer.

    p(not sent) = max(0, (requests - k x accepts) / (requests + 1))

Requests count whether they were sent or not. Sent ones count when their outcome is known, so that a long prefill is not
taken for a rejection. Sums over a sliding window of 120 slots.
"""

from __future__ import annotations

from collections import deque

from targets.gateway.config import Throttling

__all__ = ["Throttle"]

_SLOTS = 120


class Throttle:
    """The throttle of one replica or pool. Times in seconds."""

    def __init__(self, config: Throttling) -> None:
        self._k = config.k
        self._window_s = config.window_s
        self._slot_s = config.window_s / _SLOTS
        self._slots: deque[list[float]] = deque()  # [start, requests, accepts]
        self._requests = 0.0
        self._accepts = 0.0

    def probability(self, now: float) -> float:
        """Returns the probability that the next request is not sent."""
        self._expire(now)
        return max(0.0, (self._requests - self._k * self._accepts) / (self._requests + 1.0))

    def refused(self, now: float) -> None:
        """A request was rejected, or was not sent."""
        self._slot(now)[1] += 1
        self._requests += 1

    def accepted(self, now: float) -> None:
        """A response began."""
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
