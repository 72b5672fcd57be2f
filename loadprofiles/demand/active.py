"""The active demand orders. They are on a lease: if the runner does not renew it, they expire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from loadprofiles.demand.kind import ClientOverride, Demand
from loadprofiles.sessions.session import Call

__all__ = ["LEASE_S", "ActiveDemand", "AffectedBy"]

LEASE_S: Final = 5.0
"""Orders that are not renewed for this many seconds expire."""

AffectedBy = dict[str, str]
"""The orders that have changed a call so far: fault kinds by fault id."""


@dataclass(slots=True)
class ActiveDemand:
    """The active orders, and the hits of each: sessions added and calls changed. All times are on the same clock."""

    lease_s: float = LEASE_S
    hits: dict[str, int] = field(default_factory=dict)
    """Hits by fault id, including orders that have ended."""
    _active: dict[str, Demand] = field(default_factory=dict)
    _renewed_s: float = 0.0

    def apply(self, ordered: Sequence[Demand], now_s: float) -> list[Demand]:
        """Makes exactly these orders active and renews the lease. Returns the ones that are new.

        An order that has ended or expired is not activated again: it would add the same sessions twice.
        """
        before = {demand.order.id: demand for demand in self.current(now_s)}
        self._renewed_s = now_s
        new = [demand for demand in ordered if demand.order.id not in self.hits]
        ordered_ids = {demand.order.id for demand in ordered}
        self._active = {fault: demand for fault, demand in before.items() if fault in ordered_ids}
        for demand in new:
            self._active[demand.order.id] = demand
            self.hits[demand.order.id] = 0
        return new

    def current(self, now_s: float) -> list[Demand]:
        """The active demands; none once the lease has expired."""
        if self._active and now_s - self._renewed_s > self.lease_s:
            self._active = {}
        return list(self._active.values())

    def is_on(self, fault: str, now_s: float) -> bool:
        """Whether this order is active."""
        return any(demand.order.id == fault for demand in self.current(now_s))

    def session_added(self, fault: str) -> None:
        """Counts a session of this order that has started."""
        self.hits[fault] = self.hits.get(fault, 0) + 1

    def change_call(self, call: Call, affected_by: AffectedBy, now_s: float) -> Call:
        """The call as changed by the active orders, which are added to `affected_by`."""
        for demand in self.current(now_s):
            changed = demand.change_call(call)
            if changed is not call:
                self._count_hit(demand, affected_by)
                call = changed
        return call

    def override(self, affected_by: AffectedBy, now_s: float) -> ClientOverride | None:
        """How clients must call now; None: as configured. Adds the order to `affected_by`."""
        for demand in self.current(now_s):
            if demand.override is not None:
                self._count_hit(demand, affected_by)
                return demand.override
        return None

    def _count_hit(self, demand: Demand, affected_by: AffectedBy) -> None:
        if demand.order.id not in affected_by:
            affected_by[demand.order.id] = demand.order.kind
            self.hits[demand.order.id] = self.hits.get(demand.order.id, 0) + 1

    def snapshot(self, now_s: float) -> dict[str, dict[str, int]]:
        """The hits of active and of ended orders, as posted (`docs/wire.md`)."""
        active = {demand.order.id for demand in self.current(now_s)}
        return {
            "demand": {fault: hits for fault, hits in self.hits.items() if fault in active},
            "demand_over": {fault: hits for fault, hits in self.hits.items() if fault not in active},
        }
