"""`trace`: recorded start times."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from loadprofiles.arrivals.rate import Rate

__all__ = ["Trace", "scaled_times"]


@dataclass(frozen=True, slots=True)
class Trace:
    """One session at each of `times_s`, ascending, in seconds since the load's start. Raises ValueError."""

    times_s: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.times_s:
            raise ValueError("a trace needs at least one start time")
        if self.times_s[0] < 0 or any(later < at for at, later in zip(self.times_s, self.times_s[1:], strict=False)):
            raise ValueError("the start times of a trace must be 0 or more, in ascending order")

    def curve(self) -> Rate:
        """The rate as a function of time: each session is spread over the time since the previous one."""
        return _TraceRate(self.times_s)

    def scaled(self, factor: float) -> Trace:
        """With `factor` times the sessions, at the same times (`scaled_times`), but at least one."""
        return Trace(tuple(scaled_times(self.times_s, factor)) or self.times_s[:1])

    def arrivals(self) -> Iterator[float]:
        """The start times."""
        return iter(self.times_s)


def scaled_times(times: Iterable[float], factor: float) -> Iterator[float]:
    """`factor` times as many start times, all of them among `times`: some left out, or some given several times.

    The load keeps its course. Session k starts at the time before which k + 1/2 sessions are expected.
    """
    due = 0.5
    for number, at in enumerate(times, 1):
        while number * factor >= due:
            yield at
            due += 1


class _TraceRate(Rate):
    """cumulative(times[i]) = i + 1, linear in between."""

    __slots__ = ("_times",)

    def __init__(self, times: tuple[float, ...]) -> None:
        self._times = times

    def rate(self, t: float) -> float:
        i = bisect_right(self._times, t)
        if t < 0 or i >= len(self._times):
            return 0.0
        return 1 / (self._times[i] - (self._times[i - 1] if i else 0.0))

    def cumulative(self, t: float) -> float:
        i = bisect_right(self._times, t)
        if t < 0 or i >= len(self._times):
            return float(i)
        begin = self._times[i - 1] if i else 0.0
        return i + (t - begin) / (self._times[i] - begin)

    def time_of(self, sessions: float) -> float:
        if sessions <= 0:
            return 0.0
        i = math.ceil(sessions) - 1
        if i >= len(self._times):
            return math.inf
        begin = self._times[i - 1] if i else 0.0
        return begin + (sessions - i) * (self._times[i] - begin)
