"""A token bucket that can be overdrawn by reservation, so that a wait that was told is a wait that is kept.

The level grows by `rate` a second up to `burst`. Who finds too little may reserve: the level goes below zero, and the
next one's wait starts where this one's ends (as Guava's `RateLimiter.reserve`).
"""

from __future__ import annotations

__all__ = ["TokenBucket"]


class TokenBucket:
    """Starts full. Times in seconds on the caller's clock; what is counted is the caller's choice."""

    __slots__ = ("_at", "_burst", "_level", "_rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._at = now

    def level(self, now: float) -> float:
        """What is in it; negative while reservations are open."""
        if now > self._at:
            self._level = min(self._burst, self._level + (now - self._at) * self._rate)
            self._at = now
        return self._level

    def wait_s(self, now: float, amount: float) -> float:
        """Seconds until `amount` can be taken; 0 = now. More than the burst can be taken from a full bucket."""
        short = min(amount, self._burst) - self.level(now)
        return short / self._rate if short > 1e-9 else 0.0

    def take(self, now: float, amount: float) -> None:
        """Takes it out, whatever is in: after `wait_s` said 0, or as a reservation."""
        self._level = self.level(now) - amount

    def give(self, now: float, amount: float) -> None:
        """Puts back what was not used; a negative amount takes what was used beyond the estimate."""
        self._level = min(self._burst, self.level(now) + amount)
