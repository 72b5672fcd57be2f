"""`ramp`: a linear change from one rate to another."""

from __future__ import annotations

from dataclasses import dataclass, replace

from loadprofiles.arrivals.curve import Curve

__all__ = ["Ramp"]


@dataclass(frozen=True, slots=True)
class Ramp:
    """`start` sessions a second, from `from_s` on changing linearly to `end` within `over_s` seconds; then `end`."""

    start: float
    end: float
    over_s: float
    from_s: float = 0.0

    def scaled(self, factor: float) -> Ramp:
        """With `factor` times the rate at any time."""
        return replace(self, start=self.start * factor, end=self.end * factor)

    def curve(self) -> Curve:
        """The rate as a function of time."""
        begin = [(0.0, self.start)] if self.from_s > 0 else []
        return Curve([*begin, (self.from_s, self.start), (self.from_s + self.over_s, self.end)])
