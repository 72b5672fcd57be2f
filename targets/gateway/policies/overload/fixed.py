"""A constant concurrency limit."""

from __future__ import annotations

from targets.gateway.config import Concurrency

__all__ = ["FixedLimit"]


class FixedLimit:
    """The limit of one replica: always `initial`."""

    def __init__(self, config: Concurrency) -> None:
        self.places = config.initial

    def sample(self, now: float, waited_s: float, in_flight: int, dropped: bool) -> None:
        """Changes nothing."""
