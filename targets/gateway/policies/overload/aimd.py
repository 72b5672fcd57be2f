"""AIMD (Netflix concurrency-limits): limit x 0.9 on a drop, + 1 while at least half of the limit is used."""

from __future__ import annotations

from targets.gateway.config import Concurrency

__all__ = ["AIMDLimit"]


class AIMDLimit:
    """The limit of one replica. A wait above `slow_s` counts as a drop (Netflix's `timeout`, 5 s)."""

    def __init__(self, config: Concurrency) -> None:
        self._config = config
        self.places = config.initial

    def sample(self, now: float, waited_s: float, in_flight: int, dropped: bool) -> None:
        """See `Limit.sample`."""
        if dropped or waited_s > self._config.slow_s:
            self.places = max(self._config.least, int(self.places * self._config.backoff))
        elif in_flight * 2 >= self.places:
            self.places = min(self._config.most, self.places + 1)
