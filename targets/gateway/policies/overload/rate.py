"""Events per second, with exponential decay."""

from __future__ import annotations

from math import exp

__all__ = ["EventRate"]


class EventRate:
    """`sum of e^(-age / tau) / tau` over the events. Times in seconds on the caller's clock."""

    __slots__ = ("_at", "_per_s", "_tau_s")

    def __init__(self, tau_s: float) -> None:
        self._tau_s = tau_s
        self._per_s = 0.0
        self._at = 0.0

    def count(self, now: float) -> None:
        """Counts one event."""
        self._per_s = self.per_s(now) + 1.0 / self._tau_s
        self._at = now

    def per_s(self, now: float) -> float:
        """Returns the events per second at `now`."""
        return self._per_s * exp(-(now - self._at) / self._tau_s)
