"""`sawtooth`: rises in a straight line, falls at once, again and again."""

from __future__ import annotations

from dataclasses import dataclass

from loadprofiles.arrivals.curve import Curve
from loadprofiles.arrivals.periodic import Periodic

__all__ = ["Sawtooth"]


@dataclass(frozen=True, slots=True)
class Sawtooth:
    """From `low` to `high` sessions a second within each `period_s` seconds, beginning with `low`."""

    low: float
    high: float
    period_s: float

    def curve(self) -> Periodic:
        """The rate as a function of time."""
        return Periodic(Curve([(0.0, self.low), (self.period_s, self.high)]), self.period_s)
