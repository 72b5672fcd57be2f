"""`spike`: a base rate, and a higher rate for some time."""

from __future__ import annotations

from dataclasses import dataclass, replace

from loadprofiles.arrivals.curve import Curve

__all__ = ["Spike"]


@dataclass(frozen=True, slots=True)
class Spike:
    """`base` sessions a second, but `peak` for `for_s` seconds from `from_s` on.

    Sessions are spread evenly (`Rate.evenly_spaced`): `base` 4.7 and `peak` 10 for 5 s from 0 s give 50 sessions in the
    first 5 s, one every 0.1 s, and 285 within 55 s, with every seed. Inside `poisson` it gives 285 +- 17 (the 278 of
    the sizing in `coding-agent-ci` is such a draw).
    """

    base: float
    peak: float
    for_s: float
    from_s: float = 0.0

    def scaled(self, factor: float) -> Spike:
        """With `factor` times the rate at any time."""
        return replace(self, base=self.base * factor, peak=self.peak * factor)

    def curve(self) -> Curve:
        """The rate as a function of time."""
        before = [(0.0, self.base), (self.from_s, self.base)] if self.from_s > 0 else []
        until = self.from_s + self.for_s
        return Curve([*before, (self.from_s, self.peak), (until, self.peak), (until, self.base)])
