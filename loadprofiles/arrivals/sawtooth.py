"""`sawtooth`: repeatedly rests, rises linearly, and drops at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

from loadprofiles.arrivals.curve import Curve
from loadprofiles.arrivals.periodic import Periodic

__all__ = ["Sawtooth"]


@dataclass(frozen=True, slots=True)
class Sawtooth:
    """In each period of `period_s` seconds: `low` sessions a second for `rest_s` seconds, then linearly to `high`."""

    low: float
    high: float
    period_s: float
    rest_s: float = 0.0

    def scaled(self, factor: float) -> Sawtooth:
        """With `factor` times the rate at any time."""
        return replace(self, low=self.low * factor, high=self.high * factor)

    def curve(self) -> Periodic:
        """The rate as a function of time."""
        rest = [(0.0, self.low)] if self.rest_s > 0 else []
        return Periodic(Curve([*rest, (self.rest_s, self.low), (self.period_s, self.high)]), self.period_s)
