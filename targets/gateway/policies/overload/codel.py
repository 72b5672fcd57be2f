"""Controlled delay (CoDel), as Folly has it for a server's queue: one that never empties is overload, a burst is not.

At the end of each interval: overloaded, if the least delay in it was above the target. While overloaded, what has
waited longer than twice the target is to be dropped.
"""

from __future__ import annotations

__all__ = ["Codel"]

_SLOUGH = 2.0


class Codel:
    """Seconds on the caller's clock."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._ends_at: float | None = None
        self._least = 0.0
        self.overloaded = False

    def observe(self, now: float, delay_s: float, target_s: float) -> None:
        """The queue's delay at `now`: how long its oldest has waited, 0 when it is empty."""
        if self._ends_at is None:
            self._ends_at, self._least = now + self._interval_s, delay_s
        self._least = min(self._least, delay_s)
        if now >= self._ends_at:
            self.overloaded = self._least > target_s
            self._ends_at, self._least = now + self._interval_s, delay_s

    def drops_after_s(self, target_s: float) -> float | None:
        """The wait above which a request is dropped now; None = nobody is."""
        return _SLOUGH * target_s if self.overloaded else None
