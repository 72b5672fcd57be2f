"""Planned sessions in the order of their start, moved into a queue when they come due."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from loadprofiles.sessions.session import SessionPlan

__all__ = ["SessionQueue"]


class SessionQueue:
    """Sessions of one plan that start no later than `horizon_s`. Times are seconds since the load's start.

    `due`: sessions that should have started and have not been taken yet. `pulled`: number that have come due so far.
    """

    def __init__(self, plans: Iterator[SessionPlan], horizon_s: float) -> None:
        self.due: deque[SessionPlan] = deque()
        self.pulled = 0
        self._plans = plans
        self._horizon_s = horizon_s
        self._next: SessionPlan | None = None

    @property
    def next_at_s(self) -> float | None:
        """Start of the first session that is not due yet; None if the last `pull` found no such session."""
        return self._next.start_at_s if self._next is not None else None

    def pull(self, until_s: float) -> None:
        """Moves the sessions that start at or before `until_s` from the plan to `due`."""
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
