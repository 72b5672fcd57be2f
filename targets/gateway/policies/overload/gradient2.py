"""Gradient2 (Netflix concurrency-limits): the limit follows the ratio of the long-term wait to the present one.

    gradient = clamp(tolerance x long / short, 0.5, 1)
    limit    = (1 - smoothing) x limit + smoothing x (gradient x limit + growth)

`short` is the average of a window, `long` an exponential average over `long_samples` windows. `long` starts at
`base_s`, the sample without any wait. (Netflix starts with the average of the first windows; an overload in these is
never recognised.) While long > 2 x short, the overload is over and long decays by 5 % per window. While less than half
of the limit is used, the limit does not change.
"""

from __future__ import annotations

from targets.gateway.config import Concurrency

__all__ = ["Gradient2Limit"]

_DRIFT_DECAY = 0.95


class Gradient2Limit:
    """The limit of one replica. Times in seconds."""

    def __init__(self, config: Concurrency) -> None:
        self._config = config
        self._limit = float(config.initial)
        self._long = config.base_s
        self._opened_at: float | None = None
        self._sum = 0.0
        self._samples = 0
        self._most_in_flight = 0

    @property
    def places(self) -> int:
        """Requests that may be in flight."""
        return int(self._limit)

    def sample(self, now: float, waited_s: float, in_flight: int, dropped: bool) -> None:
        """See `Limit.sample`. A dropped request waited at least `waited_s`, and counts like any other."""
        if self._opened_at is None:
            self._opened_at = now
        self._sum += waited_s
        self._samples += 1
        self._most_in_flight = max(self._most_in_flight, in_flight)
        if now - self._opened_at >= self._config.window_s and self._samples >= self._config.window_samples:
            self._update(self._sum / self._samples, self._most_in_flight)
            self._opened_at, self._sum, self._samples, self._most_in_flight = now, 0.0, 0, 0

    def _update(self, short: float, in_flight: int) -> None:
        config = self._config
        self._long += (short - self._long) * 2.0 / (config.long_samples + 1)
        if self._long > 2.0 * short:
            self._long *= _DRIFT_DECAY
        if in_flight < self._limit / 2:
            return
        gradient = min(1.0, max(0.5, config.tolerance * self._long / short))
        target = gradient * self._limit + config.growth
        limit = (1.0 - config.smoothing) * self._limit + config.smoothing * target
        self._limit = min(float(config.most), max(float(config.least), limit))
