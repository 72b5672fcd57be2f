"""The values that a measure can have, and sample values that stand for all of them.

A comparison with one number is true on one side of it and false on the other. So a statement about comparisons with a
few numbers holds for all values of a range if it holds for one value of each piece between those numbers, and for each
of the numbers that can be a value: `ValueRange.samples`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["ValueRange"]


@dataclass(frozen=True, slots=True)
class ValueRange:
    """From `low` to `high`, in the measure's unit. Without a high end, an infinite value ("never") is possible too.

    `above`: `low` itself is not possible. `step`: only its multiples are possible; 0: all numbers are. `exact`: a run
    often has a certain number exactly, as 50% of two tenants; otherwise that would be a coincidence.
    """

    low: float
    high: float = math.inf
    above: bool = False
    step: float = 0.0
    exact: bool = False

    def __contains__(self, value: float) -> bool:
        if not self.low <= value <= self.high or (self.above and value == self.low):
            return False
        return not self.step or math.isinf(value) or math.isclose(value / self.step, round(value / self.step))

    def samples(self, bounds: Iterable[float]) -> list[float]:
        """Values that stand for all, for comparisons with `bounds`: the ends, and one of each piece; ascending.

        A bound inside a continuous range is none of them: a measured value is never exactly there.
        """
        if self.step:
            return self._multiples(bounds)
        inner = [bound for bound in bounds if self.low < bound < self.high]
        ends = [end for end in (self.low, self.high) if end in self and end != -math.inf]
        return sorted({*self.interior(inner), *ends, *(inner if self.exact else ())})

    def interior(self, bounds: Iterable[float]) -> list[float]:
        """One value of each piece between the bounds and the ends of a continuous range: no end, and no bound."""
        inner = sorted({bound for bound in bounds if self.low < bound < self.high})
        known = [end for end in (self.low, *inner, self.high) if math.isfinite(end)] or [0.0]
        low = self.low if math.isfinite(self.low) else known[0] - 1 - abs(known[0])
        high = self.high if math.isfinite(self.high) else known[-1] + 1 + abs(known[-1])
        return [before + (after - before) / 2 for before, after in pairwise([low, *inner, high])]

    def _multiples(self, bounds: Iterable[float]) -> list[float]:
        found = {self.low, self.high}
        for bound in (self.low, *bounds):
            at = math.floor(bound / self.step)
            found.update(round((at + near) * self.step, 9) for near in (-1, 0, 1, 2))
        return sorted(value for value in found if value in self and math.isfinite(value))
