"""What a kind of demand may add to a load and change in its calls, and the runner's order for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from loadprofiles.demand.growth import Growth
from loadprofiles.sessions.profile import Profile
from loadprofiles.sessions.session import Call

__all__ = ["ClientOverride", "Demand", "ExtraSessions", "Order"]


class Order(Struct, frozen=True):
    """The runner's order: the fault's `id` and `kind`, the kind's parameters, and the run's seed."""

    id: str
    kind: str
    params: dict[str, Any] = {}
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ExtraSessions:
    """Sessions in addition to the profile's: how many, and of which tenant (None: as the profile draws them)."""

    growth: Growth
    tenant: str | None


@dataclass(frozen=True, slots=True)
class ClientOverride:
    """How clients call while the fault is active: the name of a policy of `loadprofiles.retries`, and a timeout in
    seconds (None: unchanged)."""

    retries: str
    timeout_s: float | None


class Demand:
    """The effect of one order. Each kind overrides the methods for what it adds or changes.

    `marked`: whether the sessions that it adds carry its id, as those of a fault do.
    """

    marked = True

    def __init__(self, order: Order) -> None:
        self.order = order

    def extra_sessions(self, profile: Profile) -> ExtraSessions | None:
        """The sessions it adds; None if it adds none."""
        return None

    def change_call(self, call: Call) -> Call:
        """The call as changed; the same object if it is not changed."""
        return call

    @property
    def override(self) -> ClientOverride | None:
        """How clients call while the fault is active; None if that is unchanged."""
        return None
