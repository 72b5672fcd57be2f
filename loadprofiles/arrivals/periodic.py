"""A rate that repeats one period: the basis of `sawtooth` and `diurnal`."""

from __future__ import annotations

import math

from loadprofiles.arrivals.rate import Rate

__all__ = ["Periodic"]


class Periodic(Rate):
    """Repeats the first `period_s` seconds of the rate `one`. Raises ValueError."""

    __slots__ = ("_each", "_one", "_period_s")

    def __init__(self, one: Rate, period_s: float) -> None:
        if not 0 < period_s < math.inf:
            raise ValueError("the period of a periodic rate must be finite and more than 0 s")
        self._one, self._period_s = one, period_s
        self._each = one.cumulative(period_s)

    def rate(self, t: float) -> float:
        return self._one.rate(t % self._period_s) if t >= 0 else 0.0

    def cumulative(self, t: float) -> float:
        if t <= 0:
            return 0.0
        periods, rest = divmod(t, self._period_s)
        return periods * self._each + min(self._one.cumulative(rest), self._each)

    def time_of(self, sessions: float) -> float:
        if sessions <= 0:
            return 0.0
        if self._each == 0:
            return math.inf
        periods = max(math.ceil(sessions / self._each) - 1, 0)
        rest = min(sessions - periods * self._each, self._each)
        return periods * self._period_s + min(self._one.time_of(rest), self._period_s)
