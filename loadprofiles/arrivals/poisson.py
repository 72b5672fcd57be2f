"""`poisson`: random arrivals around a rate, bursty if `cv` is above 1. A profile file calls it `gamma` too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from math import inf

from loadprofiles.arrivals.shapes import Shapes
from loadprofiles.draws import Draws

__all__ = ["Poisson"]


@dataclass(frozen=True, slots=True)
class Poisson(Shapes):
    """Independent sessions, at the rate of exactly one shape.

    Gaps are drawn in units of expected sessions and mapped to time by the inverse of the cumulative rate (time
    rescaling), so the mean rate is the same for every `cv`. `cv` is the coefficient of variation of the gaps: 1 is a
    Poisson process; others have gamma gaps of shape 1 / cv^2 (real arrivals: up to 8, ServeGen).
    """

    cv: float = 1.0

    def __post_init__(self) -> None:
        Shapes.__post_init__(self)
        if not 0.05 <= self.cv <= 20:
            raise ValueError("the cv of poisson must be between 0.05 and 20")

    def arrivals(self, draws: Draws) -> Iterator[float]:
        """Start times in seconds. The gap before session i is drawn by the key ("gap", i)."""
        curve, expected = self.curve(), 0.0
        shape = 1 / self.cv**2
        for i in count():
            expected += draws.random("gap", i).gammavariate(shape, 1 / shape)
            at = curve.time_of(expected)
            if at == inf:
                return
            yield at
