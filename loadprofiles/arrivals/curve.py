"""A rate that is linear between points: the basis of `constant`, `ramp`, `step`, `spike` and `sawtooth`."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

from loadprofiles.arrivals.rate import Rate

__all__ = ["Curve"]


class Curve(Rate):
    """Sessions a second as a function of the time since the load's start.

    `points` are (seconds, rate) in ascending order of time, the first at 0. Two points at the same time are a step (the
    second one applies from that time on). After the last point the rate stays constant. Raises ValueError.
    """

    __slots__ = ("_areas", "_rates", "_times")

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        if not points or points[0][0] != 0:
            raise ValueError("the first point of a rate must be at 0 s")
        self._times = [at for at, _ in points]
        self._rates = [rate for _, rate in points]
        if any(later < at for at, later in zip(self._times, self._times[1:], strict=False)):
            raise ValueError("the points of a rate must be in ascending order of time")
        if any(not 0 <= rate < math.inf for rate in self._rates):
            raise ValueError("a rate must be finite, and 0 or more sessions a second")
        self._areas = [0.0]
        for i in range(1, len(points)):
            width = self._times[i] - self._times[i - 1]
            self._areas.append(self._areas[-1] + width * (self._rates[i] + self._rates[i - 1]) / 2)

    def rate(self, t: float) -> float:
        """Sessions a second at `t` seconds."""
        if t < 0:
            return 0.0
        i = bisect_right(self._times, t) - 1
        return self._rates[i] + (t - self._times[i]) * self._slope(i)

    def cumulative(self, t: float) -> float:
        """Sessions expected until `t` seconds: the integral of the rate."""
        if t <= 0:
            return 0.0
        i = bisect_right(self._times, t) - 1
        width = t - self._times[i]
        return self._areas[i] + width * (self._rates[i] + width * self._slope(i) / 2)

    def time_of(self, sessions: float) -> float:
        """The earliest time in seconds until which `sessions` are expected; infinite if that never happens."""
        i = max(bisect_right(self._areas, sessions) - 1, 0)
        while i > 0 and self._areas[i] == sessions:  # go to the beginning of an interval without arrivals
            i -= 1
        rate, slope, rest = self._rates[i], self._slope(i), sessions - self._areas[i]
        if rest <= 0:
            return self._times[i]
        if slope == 0:
            return self._times[i] + rest / rate if rate > 0 else math.inf
        # solves rest = rate * w + slope * w^2 / 2, in a form without cancellation
        root = math.sqrt(max(rate * rate + 2 * slope * rest, 0.0))
        return self._times[i] + 2 * rest / (rate + root)

    def _slope(self, i: int) -> float:
        if i + 1 >= len(self._times) or self._times[i + 1] == self._times[i]:
            return 0.0
        return (self._rates[i + 1] - self._rates[i]) / (self._times[i + 1] - self._times[i])
