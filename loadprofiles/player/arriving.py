"""Planned sessions as they come due, one stream of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from loadprofiles.sessions.session import SessionPlan

__all__ = ["Arriving"]


class Arriving:
    """Sessions in the order of their start, none later than `horizon_s`. Times in seconds since the load's start.

    `due`: those that should have started and have not been taken yet; `pulled`: how many ever came due.
    """

    def __init__(self, plans: Iterator[SessionPlan], horizon_s: float) -> None:
        self.due: deque[SessionPlan] = deque()
        self.pulled = 0
        self._plans = plans
        self._horizon_s = horizon_s
        self._next: SessionPlan | None = None

    @property
    def next_at_s(self) -> float | None:
        """When the next session starts that is not due yet; None: none will, as far as the last `pull` saw."""
        return self._next.start_at_s if self._next is not None else None

    def pull(self, until_s: float) -> None:
        """Takes what is due until then from the plans."""
        while True:
            if self._next is None:
                self._next = next(self._plans, None)
                if self._next is None or self._next.start_at_s > self._horizon_s:
                    self._next = None
                    self._plans = iter(())
                    return
            if self._next.start_at_s > until_s:
                return
            self.due.append(self._next)
            self.pulled += 1
            self._next = None
