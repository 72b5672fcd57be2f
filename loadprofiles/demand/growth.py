"""Start times of extra sessions: a multiple of the base load's sessions, from the time of the order on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Growth", "extra_times"]

_LN2 = math.log(2)
_AT_ONCE_S = 1e-9
"""Base sessions closer than this count as simultaneous; their extra sessions start at the same time."""


@dataclass(frozen=True, slots=True)
class Growth:
    """`extra` sessions per base session: constant, or halved every `half_life_s` seconds since the order."""

    extra: float
    half_life_s: float | None = None

    def at(self, since_s: float) -> float:
        """Extra sessions per base session, `since_s` seconds after the order."""
        return self.extra if self.half_life_s is None else self.extra * 2 ** (-since_s / self.half_life_s)

    def between(self, begin_s: float, end_s: float) -> float:
        """The integral of `at` from `begin_s` to `end_s`."""
        if self.half_life_s is None:
            return self.extra * (end_s - begin_s)
        return (self.at(begin_s) - self.at(end_s)) * self.half_life_s / _LN2

    def until(self, begin_s: float, amount: float) -> float:
        """The time `end` at which `between(begin_s, end)` reaches `amount`; infinite if it never does."""
        if self.half_life_s is None:
            return begin_s + amount / self.extra if self.extra > 0 else math.inf
        left = self.at(begin_s) - amount * _LN2 / self.half_life_s
        return self.half_life_s * math.log2(self.extra / left) if left > 0 else math.inf


def extra_times(base: Iterator[float], growth: Growth, from_s: float) -> Iterator[float]:
    """Ascending start times of the extra sessions, none before `from_s`; all in seconds since the load's start.

    The base's rate is taken as constant between two of its starts. Extra session j starts when j + 1/2 extra sessions
    are expected. So their rate follows the base's, and they end with the base.
    """
    due, carried, before_s = 0.5, 0.0, 0.0
    for after_s in base:
        begin_s = max(before_s, from_s)
        gap_s = after_s - before_s
        if after_s >= from_s:
            at_once = gap_s < _AT_ONCE_S
            mass = (
                growth.at(after_s - from_s) if at_once else growth.between(begin_s - from_s, after_s - from_s) / gap_s
            )
            while carried + mass >= due:
                since_s = growth.until(begin_s - from_s, (due - carried) * gap_s)
                yield after_s if at_once else min(from_s + since_s, after_s)
                due += 1
            carried += mass
        before_s = after_s
