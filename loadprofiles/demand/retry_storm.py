"""`retry_storm`: every client retries at once and without limit, whatever its own policy is."""

from __future__ import annotations

from loadprofiles.demand.kind import ClientOverride, Demand, Order

__all__ = ["RetryStorm"]


class RetryStorm(Demand):
    """Every client uses the policy `aggressive`, and the timeout `timeout_s` (seconds) if one is given."""

    def __init__(self, order: Order, timeout_s: float | None = None) -> None:
        super().__init__(order)
        if timeout_s is not None and not timeout_s > 0:
            raise ValueError("the timeout_s of retry_storm must be more than 0")
        self._override = ClientOverride("aggressive", timeout_s)

    @property
    def override(self) -> ClientOverride:
        """See `Demand.override`."""
        return self._override
