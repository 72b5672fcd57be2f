"""`diurnal`: a sine wave, as of day and night."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from loadprofiles.arrivals.periodic import Periodic
from loadprofiles.arrivals.rate import Rate

__all__ = ["Diurnal"]


@dataclass(frozen=True, slots=True)
class Diurnal:
    """Between `low` and `high` sessions a second, with a period of `period_s` seconds that begins at `low`."""

    low: float
    high: float
    period_s: float

    def scaled(self, factor: float) -> Diurnal:
        """With `factor` times the rate at any time."""
        return replace(self, low=self.low * factor, high=self.high * factor)

    def curve(self) -> Periodic:
        """The rate as a function of time."""
        return Periodic(_Wave(self.low, self.high, self.period_s), self.period_s)


class _Wave(Rate):
    """mean - amplitude x cos(w t), and its integral mean x t - amplitude / w x sin(w t)."""

    __slots__ = ("_amplitude", "_mean", "_w")

    def __init__(self, low: float, high: float, period_s: float) -> None:
        if not 0 <= low <= high < math.inf:
            raise ValueError("a diurnal rate needs 0 <= low <= high, finite")
        if not 0 < period_s < math.inf:
            raise ValueError("the period of a periodic rate must be finite and more than 0 s")
        self._mean, self._amplitude = (low + high) / 2, (high - low) / 2
        self._w = 2 * math.pi / period_s

    def rate(self, t: float) -> float:
        return self._mean - self._amplitude * math.cos(self._w * t)

    def cumulative(self, t: float) -> float:
        return max(self._mean * t - self._amplitude / self._w * math.sin(self._w * t), 0.0)
