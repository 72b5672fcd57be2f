"""`launch_day`: a flash crowd that decays exponentially."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from loadprofiles.arrivals.rate import Rate

__all__ = ["LaunchDay"]


@dataclass(frozen=True, slots=True)
class LaunchDay:
    """`base` sessions a second; at `from_s` it jumps to `peak`. The part above `base` halves every `half_life_s`."""

    base: float
    peak: float
    half_life_s: float
    from_s: float = 0.0

    def scaled(self, factor: float) -> LaunchDay:
        """With `factor` times the rate at any time."""
        return replace(self, base=self.base * factor, peak=self.peak * factor)

    def curve(self) -> Rate:
        """The rate as a function of time."""
        return _Decay(self)


class _Decay(Rate):
    """base + (peak - base) x exp(-k (t - from)), and its integral, in a form without cancellation."""

    __slots__ = ("_day", "_k")

    def __init__(self, day: LaunchDay) -> None:
        if not 0 <= day.base <= day.peak < math.inf:
            raise ValueError("a launch_day rate needs 0 <= base <= peak, finite")
        if not 0 < day.half_life_s < math.inf:
            raise ValueError("the half-life of launch_day must be finite and more than 0 s")
        self._day, self._k = day, math.log(2) / day.half_life_s

    def rate(self, t: float) -> float:
        day = self._day
        if t < 0:
            return 0.0
        return day.base + ((day.peak - day.base) * math.exp(-self._k * (t - day.from_s)) if t >= day.from_s else 0.0)

    def cumulative(self, t: float) -> float:
        if t <= 0:
            return 0.0
        day, since = self._day, max(t - self._day.from_s, 0.0)
        return day.base * t - (day.peak - day.base) / self._k * math.expm1(-self._k * since)
