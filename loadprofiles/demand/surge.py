"""`surge`: more sessions than the profile's: `factor` times its rate, constant or decaying."""

from __future__ import annotations

from loadprofiles.demand.growth import Growth
from loadprofiles.demand.kind import Demand, ExtraSessions, Order
from loadprofiles.sessions.profile import Profile

__all__ = ["Surge"]


class Surge(Demand):
    """The rate is `factor` times the profile's. `half_life_s`: the extra rate is halved every so many seconds.
    `tenant`: all extra sessions belong to this tenant."""

    def __init__(
        self, order: Order, factor: float, tenant: str | None = None, half_life_s: float | None = None
    ) -> None:
        super().__init__(order)
        if not 1 < factor <= 1000:
            raise ValueError("the factor of surge must be above 1 and at most 1000")
        if half_life_s is not None and not half_life_s > 0:
            raise ValueError("the half_life_s of surge must be more than 0")
        self._extra = ExtraSessions(Growth(factor - 1, half_life_s), tenant)

    def extra_sessions(self, profile: Profile) -> ExtraSessions:
        """See `Demand.extra_sessions`."""
        return self._extra
