"""`retry_storm`: clients that retry at once and without limit, whatever their own habit is."""

from __future__ import annotations

from loadprofiles.demand.kind import Demand, Habit, Order

__all__ = ["RetryStorm"]


class RetryStorm(Demand):
    """The policy of every client is `aggressive`, and its timeout `timeout_s` if one is given."""

    def __init__(self, order: Order, timeout_s: float | None = None) -> None:
        super().__init__(order)
        if timeout_s is not None and not timeout_s > 0:
            raise ValueError("a timeout is more than 0 s")
        self._habit = Habit("aggressive", timeout_s)

    @property
    def habit(self) -> Habit:
        """See `Demand.habit`."""
        return self._habit
