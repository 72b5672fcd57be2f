"""A token bucket with reservations: a reserved amount is available after the wait that was reported.

The level grows by `rate` per second up to `burst`. A reservation may take the level below zero; the wait of the next
one then starts where this one ends (as Guava's `RateLimiter.reserve`).
"""

from __future__ import annotations

__all__ = ["TokenBucket"]


class TokenBucket:
    """Starts full. Times in seconds on the caller's clock; the unit of amounts is the caller's choice."""

    __slots__ = ("_at", "_burst", "_level", "_rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._at = now

    def level(self, now: float) -> float:
        """Returns the level; negative while reservations are open."""
        if now > self._at:
            self._level = min(self._burst, self._level + (now - self._at) * self._rate)
            self._at = now
        return self._level

    def wait_s(self, now: float, amount: float) -> float:
        """Returns the seconds until `amount` can be taken; 0 = now. A full bucket allows more than the burst."""
        short = min(amount, self._burst) - self.level(now)
        return short / self._rate if short > 1e-9 else 0.0

    def take(self, now: float, amount: float) -> None:
        """Takes `amount` at any level: after `wait_s` returned 0, or as a reservation."""
        self._level = self.level(now) - amount

    def give(self, now: float, amount: float) -> None:
        """Refunds an unused amount; a negative amount charges what exceeded the estimate."""
        self._level = min(self._burst, self.level(now) + amount)
