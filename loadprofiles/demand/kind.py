"""What one kind of demand may add to a load, and change in its calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from loadprofiles.demand.growth import Growth
from loadprofiles.sessions.profile import Profile
from loadprofiles.sessions.session import Call

__all__ = ["Demand", "Extra", "Habit", "Order"]


class Order(Struct, frozen=True):
    """What the runner asks for: `id` is the fault's, `params` are the kind's, `seed` the run's."""

    id: str
    kind: str
    params: dict[str, Any] = {}
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Extra:
    """Sessions beside the profile's: how many, and of which tenant (None: as the profile draws them)."""

    growth: Growth
    tenant: str | None


@dataclass(frozen=True, slots=True)
class Habit:
    """How clients call meanwhile: a policy of `loadprofiles.retries`, and a timeout in seconds (None: their own)."""

    retries: str
    timeout_s: float | None


class Demand:
    """One order. A kind overrides what it does."""

    def __init__(self, order: Order) -> None:
        self.order = order

    def extra(self, profile: Profile) -> Extra | None:
        """The sessions it adds. None: it adds none."""
        return None

    def change(self, call: Call) -> Call:
        """The call as it is made instead; the same object where it is left alone."""
        return call

    @property
    def habit(self) -> Habit | None:
        """How clients call meanwhile. None: as they do."""
        return None
