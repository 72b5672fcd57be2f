"""Hedging (Dean & Barroso, The Tail at Scale; Finagle `BackupRequestFilter`): where the first token is late, a second
attempt elsewhere, and whoever has it first answers.

Late is beyond a high percentile of what was seen lately, so that few are hedged; a budget without reserve holds it at a
share of the requests, so that a slow fleet, where all are late, is not asked twice.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from math import ceil

from targets.gateway.config import Hedging

__all__ = ["Hedges"]

_MOST_SAVED = 5.0  # hedges


class Hedges:
    """When to hedge, and whether there is budget for it. One a gateway."""

    def __init__(self, config: Hedging) -> None:
        self._config = config
        self._recent: deque[float] = deque()
        self._sorted: list[float] = []
        self._saved = 0.0

    def deposit(self) -> None:
        """A request came."""
        self._saved = min(_MOST_SAVED, self._saved + self._config.share)

    def withdraw(self) -> bool:
        """Takes out one hedge; False: there is none left."""
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        return True

    def record(self, first_token_s: float) -> None:
        """A first token came after so many seconds."""
        self._recent.append(first_token_s)
        insort(self._sorted, first_token_s)
        if len(self._recent) > self._config.window:
            del self._sorted[bisect_left(self._sorted, self._recent.popleft())]

    def after_s(self) -> float | None:
        """Seconds to wait for a first token before a hedge; None: too little was seen, or there is no budget."""
        if len(self._sorted) < self._config.min_samples or self._saved < 1.0:
            return None
        at = self._sorted[ceil(self._config.percentile * len(self._sorted)) - 1]
        return max(at, self._config.least_s)
