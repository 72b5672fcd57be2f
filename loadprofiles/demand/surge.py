"""`surge`: more sessions than the profile says: `factor` times its rate, at once or falling back to it."""

from __future__ import annotations

from loadprofiles.demand.growth import Growth
from loadprofiles.demand.kind import Demand, Extra, Order
from loadprofiles.sessions.profile import Profile

__all__ = ["Surge"]


class Surge(Demand):
    """The rate is `factor` times the profile's; with `half_life_s` what is above it is halved so often. `tenant`: all
    extra sessions are that tenant's."""

    def __init__(
        self, order: Order, factor: float, tenant: str | None = None, half_life_s: float | None = None
    ) -> None:
        super().__init__(order)
        if not 1 < factor <= 1000:
            raise ValueError("a surge's factor is above 1 and at most 1000")
        if half_life_s is not None and not half_life_s > 0:
            raise ValueError("a half-life is more than 0 s")
        self._extra = Extra(Growth(factor - 1, half_life_s), tenant)

    def extra(self, profile: Profile) -> Extra:
        """See `Demand.extra`."""
        return self._extra
