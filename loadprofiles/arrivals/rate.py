"""A rate of arrivals as a function of time: base class of all shapes, with a numeric inverse of its integral."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import count
from typing import Final

__all__ = ["Rate", "RateSum"]

_NEVER_S: Final = 1e12
"""A later time counts as never."""


class Rate(ABC):
    """Sessions a second as a function of the time since the load's start, 0 before it. Pure."""

    __slots__ = ()

    @abstractmethod
    def rate(self, t: float) -> float:
        """Sessions a second at `t` seconds."""

    @abstractmethod
    def cumulative(self, t: float) -> float:
        """Sessions expected until `t` seconds: the exact integral of the rate."""

    def time_of(self, sessions: float) -> float:
        """The earliest time in seconds until which `sessions` are expected; infinite if that never happens.

        Found by bracketing (the Illinois variant of false position, bisection when that makes no progress), to a
        relative precision of 1e-12 in time: `cumulative` of the result is `sessions` to within 1e-9 of it, plus what
        arrives at that instant.
        """
        if sessions <= 0:
            return 0.0
        low, below = 0.0, -sessions
        high = 1.0
        while (above := self.cumulative(high) - sessions) < 0:
            low, below, high = high, above, high * 2
            if high > _NEVER_S:
                return math.inf
        moved = 0
        while high - low > 1e-12 * max(high, 1.0):
            t = high - above * (high - low) / (above - below) if above > 0 else low
            if not low < t < high:
                t = (low + high) / 2
                if not low < t < high:
                    break
            found = self.cumulative(t) - sessions
            if found >= 0:
                high, above = t, found
                below = below / 2 if moved > 0 else below
                moved = 1
            else:
                low, below = t, found
                above = above / 2 if moved < 0 else above
                moved = -1
        return high

    def evenly_spaced(self) -> Iterator[float]:
        """Start times without randomness: session i starts when i + 1/2 sessions are expected."""
        for i in count():
            at = self.time_of(i + 0.5)
            if at == math.inf:
                return
            yield at


class RateSum(Rate):
    """The sum of rates."""

    __slots__ = ("_parts",)

    def __init__(self, *parts: Rate) -> None:
        self._parts = parts

    def rate(self, t: float) -> float:
        return sum(part.rate(t) for part in self._parts)

    def cumulative(self, t: float) -> float:
        return math.fsum(part.cumulative(t) for part in self._parts)
