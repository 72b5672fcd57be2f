"""The level of the load: a factor on the profile's sessions that a person sets while it is played. No fault.

Above 1, sessions are added as a surge adds them, without the mark of a fault. Below 1, the same share of the profile's
sessions is left out, evenly: of each two at 0.5, one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from loadprofiles.demand.growth import Growth
from loadprofiles.demand.kind import Demand, ExtraSessions, Order
from loadprofiles.sessions.profile import Profile

__all__ = ["HIGHEST_LEVEL", "LOWEST_LEVEL", "Level", "Thinning"]

LOWEST_LEVEL: Final = 0.1
HIGHEST_LEVEL: Final = 10.0


class Level(Demand):
    """The sessions that a level above 1 adds. `number`: of the change, so that each adds sessions of its own."""

    marked = False

    def __init__(self, factor: float, number: int, seed: int) -> None:
        super().__init__(Order(f"level{number}", "level", {"factor": factor}, seed))
        self._extra = ExtraSessions(Growth(max(factor - 1.0, 0.0)), None)

    def extra_sessions(self, profile: Profile) -> ExtraSessions:
        """See `Demand.extra_sessions`."""
        return self._extra


@dataclass(slots=True)
class Thinning:
    """Which sessions a level below 1 keeps. `factor`: the share that is kept; 1 or more: all."""

    factor: float = 1.0
    _credit: float = 1.0

    def keeps(self) -> bool:
        """Whether the next session is played."""
        if self.factor >= 1.0:
            return True
        self._credit += self.factor
        if self._credit < 1.0:
            return False
        self._credit -= 1.0
        return True
