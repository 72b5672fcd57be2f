"""`constant`: a constant rate."""

from __future__ import annotations

from dataclasses import dataclass

from loadprofiles.arrivals.curve import Curve

__all__ = ["Constant"]


@dataclass(frozen=True, slots=True)
class Constant:
    """`rate` sessions a second."""

    rate: float

    def scaled(self, factor: float) -> Constant:
        """With `factor` times the rate at any time."""
        return Constant(self.rate * factor)

    def curve(self) -> Curve:
        """The rate as a function of time."""
        return Curve([(0.0, self.rate)])
