"""How often something may be done: a token bucket. Pure: the caller says what time it is."""

from __future__ import annotations

import math

__all__ = ["Bucket"]


class Bucket:
    """At most `burst` at once, and `per_s` a second for long."""

    __slots__ = ("_at_s", "_left", "burst", "per_s")

    def __init__(self, per_s: float, burst: int) -> None:
        self.per_s = per_s
        self.burst = burst
        self._left = float(burst)
        self._at_s = -math.inf

    def wait_s(self, now_s: float) -> int:
        """Take one. Returns 0, or after how many whole seconds to try again; then nothing is taken."""
        self._left = min(float(self.burst), self._left + max(0.0, now_s - self._at_s) * self.per_s)
        self._at_s = max(self._at_s, now_s)
        if self._left >= 1.0:
            self._left -= 1.0
            return 0
        return max(1, math.ceil((1.0 - self._left) / self.per_s))
