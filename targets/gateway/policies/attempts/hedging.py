"""Hedging (Dean & Barroso, The Tail at Scale; Finagle `BackupRequestFilter`): when the first token is late, a second
attempt starts at another replica, and the first one with a token wins.

Late: above a high percentile of the recent times to first token, so that few calls are hedged. A budget without reserve
limits hedges to a share of the requests, so that a slow fleet does not get twice the load.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from math import ceil

from targets.gateway.config import Hedging

__all__ = ["HedgePolicy"]

_MAX_SAVED = 5.0  # hedges


class HedgePolicy:
    """The delay before a hedge, and the budget. One per gateway."""

    def __init__(self, config: Hedging) -> None:
        self._config = config
        self._recent: deque[float] = deque()
        self._sorted: list[float] = []
        self._saved = 0.0

    def deposit(self) -> None:
        """A request arrived."""
        self._saved = min(_MAX_SAVED, self._saved + self._config.share)

    def withdraw(self) -> bool:
        """Takes one hedge out of the budget; returns False if none is left."""
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        return True

    def record(self, first_token_s: float) -> None:
        """Records a time to first token."""
        self._recent.append(first_token_s)
        insort(self._sorted, first_token_s)
        if len(self._recent) > self._config.window:
            del self._sorted[bisect_left(self._sorted, self._recent.popleft())]

    def after_s(self) -> float | None:
        """Returns the seconds to wait before a hedge; None: too few samples, or no budget."""
        if len(self._sorted) < self._config.min_samples or self._saved < 1.0:
            return None
        late_s = self._sorted[ceil(self._config.percentile * len(self._sorted)) - 1]
        return max(late_s, self._config.least_s)
