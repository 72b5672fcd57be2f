"""What is ordered now. It is on a lease: without a word from the runner it lapses by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from loadprofiles.demand.kind import Demand, Habit
from loadprofiles.sessions.session import Call

__all__ = ["LEASE_S", "DemandNow", "Touched"]

LEASE_S: Final = 5.0

Touched = dict[str, str]
"""The orders that a call has met so far: kinds by fault id."""


@dataclass(slots=True)
class DemandNow:
    """The orders that are on, and what each has done: sessions added and calls changed. Times on any one clock."""

    lease_s: float = LEASE_S
    hits: dict[str, int] = field(default_factory=dict)
    """By fault id; of those taken off too."""
    _on: dict[str, Demand] = field(default_factory=dict)
    _heard_s: float = 0.0

    def hear(self, ordered: Sequence[Demand], now_s: float) -> list[Demand]:
        """The runner's word: exactly these are on. Answers those that were not before.

        What is over stays over: an order that lapsed and is said again would add the same sessions twice.
        """
        before = {demand.order.id: demand for demand in self.active(now_s)}
        self._heard_s = now_s
        new = [demand for demand in ordered if demand.order.id not in self.hits]
        said = {demand.order.id for demand in ordered}
        self._on = {fault: demand for fault, demand in before.items() if fault in said}
        for demand in new:
            self._on[demand.order.id] = demand
            self.hits[demand.order.id] = 0
        return new

    def active(self, now_s: float) -> list[Demand]:
        """What is on; nothing once the lease is over."""
        if self._on and now_s - self._heard_s > self.lease_s:
            self._on = {}
        return list(self._on.values())

    def is_on(self, fault: str, now_s: float) -> bool:
        """Whether this order is on."""
        return any(demand.order.id == fault for demand in self.active(now_s))

    def session_added(self, fault: str) -> None:
        """A session of this order has begun."""
        self.hits[fault] = self.hits.get(fault, 0) + 1

    def change(self, call: Call, touched: Touched, now_s: float) -> Call:
        """The call as it is to be made now."""
        for demand in self.active(now_s):
            changed = demand.change(call)
            if changed is not call:
                self._touch(demand, touched)
                call = changed
        return call

    def habit(self, touched: Touched, now_s: float) -> Habit | None:
        """How a client is to call now; None: as it does."""
        for demand in self.active(now_s):
            if demand.habit is not None:
                self._touch(demand, touched)
                return demand.habit
        return None

    def _touch(self, demand: Demand, touched: Touched) -> None:
        if demand.order.id not in touched:
            touched[demand.order.id] = demand.order.kind
            self.hits[demand.order.id] = self.hits.get(demand.order.id, 0) + 1

    def snapshot(self, now_s: float) -> dict[str, dict[str, int]]:
        """What is posted (`docs/wire.md`): hits of what is on, and of what is over."""
        on = {demand.order.id for demand in self.active(now_s)}
        return {
            "demand": {fault: hits for fault, hits in self.hits.items() if fault in on},
            "demand_over": {fault: hits for fault, hits in self.hits.items() if fault not in on},
        }
