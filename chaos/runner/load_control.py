"""Controls the load generators: the command (wait, run, hold, drain, stop) and demand orders of each response.

Collects what they report: one process, or the workers of a distributed load.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec

from chaos.faults.world import DemandState, Unreachable
from chaos.runner.counters import Counters
from loadprofiles.demand import LEASE_S, Order

__all__ = ["LoadControl"]


class LoadControl:
    """Responses to posts of counters, and the events that the runner waits for.

    `clock`: monotonic seconds. `on_lapse(fault_id)`: a load generator no longer has an order that it had, and that
    stands.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, on_lapse: Callable[[str], None] = lambda fault_id: None
    ) -> None:
        self._command = "wait"
        self.orders: dict[str, Order] = {}
        """Orders of the active demand faults, by fault id."""
        self.level = 1.0
        """How many times the profile's sessions are played; set by `set_level`."""
        self._level_number = 0
        self.started_ns: int | None = None
        """Wall time of the start of the load, in unix nanoseconds: time 0 of the timeline."""
        self.connected = asyncio.Event()
        self.started = asyncio.Event()
        self.done = asyncio.Event()
        self.data: dict[str, Any] = {}
        self._clock = clock
        self._on_lapse = on_lapse
        self._last_posts: dict[str, tuple[float, dict[str, Any]]] = {}
        """Time and data of the last post of each process that plays sessions."""
        self._active: dict[str, set[str]] = {}
        """The ids of the orders that each of them last reported as active."""

    @property
    def command(self) -> str:
        """What the load generators are told to do. After `stop` nothing else: the run has ended."""
        return self._command

    @command.setter
    def command(self, command: str) -> None:
        if self._command != "stop":
            self._command = command

    def on_counters(self, counters: Counters) -> dict[str, object]:
        """A process has posted its counters. Returns the response."""
        if counters.kind != "load":
            return {"command": "run"}
        self.connected.set()
        self.data = counters.data
        started = counters.data.get("load_started")
        if started:
            self._last_posts[f"{counters.process}#{counters.incarnation}"] = (self._clock(), counters.data)
        if started and self.started_ns is None:
            self.started_ns = int(started)
            self.started.set()
        if counters.data.get("done"):
            self.done.set()
        self._note_lapses(f"{counters.process}#{counters.incarnation}", set(counters.data.get("demand", {})))
        response: dict[str, object] = {
            "command": self.command,
            "demand": [msgspec.to_builtins(order) for order in self.orders.values()],
        }
        if self._level_number:
            response["level"] = {"factor": self.level, "number": self._level_number}
        return response

    def set_level(self, factor: float) -> None:
        """Play `factor` times the profile's sessions from now on."""
        self.level = factor
        self._level_number += 1

    def _note_lapses(self, poster: str, active: set[str]) -> None:
        """Compare the orders that a load generator has with those that it had and that stand."""
        before = self._active.get(poster, set())
        self._active[poster] = active
        if self.command in ("run", "hold"):  # a load that drains or stops drops every order
            for fault_id in sorted((before - active) & set(self.orders)):
                self._on_lapse(fault_id)

    def demand_state(self, fault_id: str) -> DemandState:
        """What the load reports about an order. Raises Unreachable if no process has posted within the lease."""
        since = self._clock() - LEASE_S
        fresh = [data for at, data in self._last_posts.values() if at > since]
        if not fresh:
            raise Unreachable(f"no counters from the load generator for {LEASE_S:g} s")
        active = [fault_id in data.get("demand", {}) for data in fresh]
        hits = sum(
            int(data.get(key, {}).get(fault_id, 0))
            for _, data in self._last_posts.values()
            for key in ("demand", "demand_over")
        )
        return DemandState(any(active), all(active), hits)
