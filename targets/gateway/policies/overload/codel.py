"""Controlled delay (CoDel) for a server's queue, as in Folly: a queue that never empties is overloaded, a burst is not.

At the end of each interval the queue counts as overloaded if the lowest delay in it was above the target. While
overloaded, requests that waited longer than twice the target are dropped.
"""

from __future__ import annotations

__all__ = ["Codel"]

_DROP_FACTOR = 2.0


class Codel:
    """The overload state of one queue. Times in seconds on the caller's clock."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._ends_at: float | None = None
        self._lowest_s = 0.0
        self.overloaded = False

    def observe(self, now: float, delay_s: float, target_s: float) -> None:
        """Records the queue's delay: the wait of its oldest request, 0 when empty."""
        if self._ends_at is None:
            self._ends_at, self._lowest_s = now + self._interval_s, delay_s
        self._lowest_s = min(self._lowest_s, delay_s)
        if now >= self._ends_at:
            self.overloaded = self._lowest_s > target_s
            self._ends_at, self._lowest_s = now + self._interval_s, delay_s

    def drops_after_s(self, target_s: float) -> float | None:
        """Returns the wait above which requests are dropped now; None = none is dropped."""
        return _DROP_FACTOR * target_s if self.overloaded else None
