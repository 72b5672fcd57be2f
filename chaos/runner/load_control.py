"""What the load generators are told while they run: wait, run, drain, stop, and what demand is ordered beside it.

And what they have told of themselves: one process, or the workers of a distributed load.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec

from chaos.faults.world import DemandState, Unreachable
from chaos.runner.collector import Counters
from loadprofiles.demand import LEASE_S, Order

__all__ = ["LoadControl"]


class LoadControl:
    """The answer to every post of counters, and the conditions the runner waits for. `clock`: monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.command = "wait"
        self.orders: dict[str, Order] = {}
        """Demand faults that are on, by id."""
        self.started_ns: int | None = None
        """Wall time at which the load began: the timeline's zero."""
        self.connected = asyncio.Event()
        self.started = asyncio.Event()
        self.done = asyncio.Event()
        self.data: dict[str, Any] = {}
        self._clock = clock
        self._said: dict[str, tuple[float, dict[str, Any]]] = {}
        """When each process that plays sessions last posted, and what."""

    def heard(self, counters: Counters) -> dict[str, object]:
        """A process posted; makes the answer."""
        if counters.kind != "load":
            return {"command": "run"}
        self.connected.set()
        self.data = counters.data
        started = counters.data.get("load_started")
        if started:
            self._said[f"{counters.process}#{counters.incarnation}"] = (self._clock(), counters.data)
        if started and self.started_ns is None:
            self.started_ns = int(started)
            self.started.set()
        if counters.data.get("done"):
            self.done.set()
        return {"command": self.command, "demand": [msgspec.to_builtins(order) for order in self.orders.values()]}

    def demand_state(self, fault_id: str) -> DemandState:
        """What the load says of an order. Raises Unreachable where no process posted within the lease."""
        since = self._clock() - LEASE_S
        fresh = [data for at, data in self._said.values() if at > since]
        if not fresh:
            raise Unreachable("the load generator has not posted for a while")
        on = [fault_id in data.get("demand", {}) for data in fresh]
        hits = sum(
            int(data.get(key, {}).get(fault_id, 0))
            for _, data in self._said.values()
            for key in ("demand", "demand_over")
        )
        return DemandState(any(on), all(on), hits)
