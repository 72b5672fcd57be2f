"""`step`: one change of the rate."""

from __future__ import annotations

from dataclasses import dataclass, replace

from loadprofiles.arrivals.curve import Curve

__all__ = ["Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """`start` sessions a second, and `end` from `at_s` seconds on."""

    start: float
    end: float
    at_s: float

    def scaled(self, factor: float) -> Step:
        """With `factor` times the rate at any time."""
        return replace(self, start=self.start * factor, end=self.end * factor)

    def curve(self) -> Curve:
        """The rate as a function of time."""
        before = [(0.0, self.start), (self.at_s, self.start)] if self.at_s > 0 else []
        return Curve([*before, (self.at_s, self.end)])
