"""`diurnal`: day and night, a sine."""

from __future__ import annotations

import math
from dataclasses import dataclass

from loadprofiles.arrivals.periodic import Periodic
from loadprofiles.arrivals.rate import Rate

__all__ = ["Diurnal"]


@dataclass(frozen=True, slots=True)
class Diurnal:
    """Between `low` and `high` sessions a second, a day being `period_s` long: it begins with `low`."""

    low: float
    high: float
    period_s: float

    def curve(self) -> Periodic:
        """The rate as a function of time."""
        return Periodic(_Day(self.low, self.high, self.period_s), self.period_s)


class _Day(Rate):
    """mean - amplitude x cos(w t), and its integral mean x t - amplitude / w x sin(w t)."""

    __slots__ = ("_amplitude", "_mean", "_w")

    def __init__(self, low: float, high: float, period_s: float) -> None:
        if not 0 <= low <= high < math.inf:
            raise ValueError("a rate is 0 or more sessions a second, by night no more than by day")
        if not 0 < period_s < math.inf:
            raise ValueError("a rate that comes back needs a period of more than 0 s")
        self._mean, self._amplitude = (low + high) / 2, (high - low) / 2
        self._w = 2 * math.pi / period_s

    def rate(self, t: float) -> float:
        return self._mean - self._amplitude * math.cos(self._w * t)

    def cumulative(self, t: float) -> float:
        return max(self._mean * t - self._amplitude / self._w * math.sin(self._w * t), 0.0)
