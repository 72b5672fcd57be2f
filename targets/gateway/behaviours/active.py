"""The active behaviours of the gateway: their leases, their effect on a request, and how many requests each has hit.

A behaviour ends when its lease expires, even if the runner that activated it has crashed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from targets.control import BehaviourError
from targets.gateway.behaviours import BEHAVIOURS, Behaviour
from targets.gateway.routing.replica_state import ReplicaState

__all__ = ["ActiveBehaviours", "FaultHit"]


class _Put(msgspec.Struct, forbid_unknown_fields=True):
    kind: str
    lease_s: Annotated[float, msgspec.Meta(gt=0, le=3600)]
    params: dict[str, Any] = {}
    share: None = None
    seed: int = 0
    only: Annotated[dict[str, Any], msgspec.Meta(max_length=0)] = {}


@dataclass(frozen=True, slots=True)
class FaultHit:
    """A behaviour affected a request."""

    fault_id: str
    kind: str


@dataclass(slots=True)
class _Entry:
    hit: FaultHit
    behaviour: Behaviour
    lease_s: float
    expires_at: float
    stalled_until: float
    timer: asyncio.TimerHandle

    @property
    def delays_decisions(self) -> bool:
        return self.hit.kind == "slow_scheduler"


class ActiveBehaviours:
    """All behaviours of one gateway. It calls `ignore_health(replica, ignored)` for each replica after each change."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, replicas: Sequence[str], ignore_health: Callable[[str, bool], None]
    ) -> None:
        self.hits: dict[str, int] = {}
        """By fault id, ended behaviours included."""
        self._loop = loop
        self._replicas = frozenset(replicas)
        self._ignore_health = ignore_health
        self._entries: dict[str, _Entry] = {}
        self._free_at = 0.0
        """When all decisions requested so far will be made."""
        self._changed = asyncio.Event()

    # -- the control port -------------------------------------------------------------------------------------------
    def put(self, fault_id: str, body: bytes) -> str:
        """See `targets.control.Behaviours.put`."""
        wanted = msgspec.json.decode(body, type=_Put)
        kind = BEHAVIOURS.get(wanted.kind)
        if kind is None:
            raise BehaviourError(f"unknown kind {wanted.kind!r}; known kinds: {', '.join(BEHAVIOURS)}")
        behaviour = msgspec.convert(wanted.params, kind)
        try:
            behaviour.check(self._replicas)
        except ValueError as error:
            raise BehaviourError(str(error)) from None
        self._drop(fault_id)
        now = self._loop.time()
        timer = self._loop.call_later(wanted.lease_s, self._drop, fault_id)
        hit = FaultHit(fault_id, wanted.kind)
        self._entries[fault_id] = _Entry(
            hit, behaviour, wanted.lease_s, now + wanted.lease_s, now + behaviour.stall_s, timer
        )
        self.hits.setdefault(fault_id, 0)
        self._apply()
        return wanted.kind

    def renew(self, fault_ids: Sequence[str]) -> list[str]:
        """See `targets.control.Behaviours.renew`."""
        now = self._loop.time()
        known = [fault_id for fault_id in fault_ids if fault_id in self._entries]
        for fault_id in known:
            entry = self._entries[fault_id]
            entry.timer.cancel()
            entry.expires_at = now + entry.lease_s
            entry.timer = self._loop.call_later(entry.lease_s, self._drop, fault_id)
        return known

    def remove(self, fault_id: str) -> int:
        """See `targets.control.Behaviours.remove`."""
        self._drop(fault_id)
        return self.hits.get(fault_id, 0)

    def listing(self) -> dict[str, dict[str, Any]]:
        """See `targets.control.Behaviours.listing`."""
        now = self._loop.time()
        return {
            fault_id: {
                "kind": entry.hit.kind,
                "hits": self.hits[fault_id],
                "expires_in_s": round(entry.expires_at - now, 3),
            }
            for fault_id, entry in self._entries.items()
        }

    def close(self) -> None:
        """Ends all behaviours."""
        for fault_id in list(self._entries):
            self._drop(fault_id)

    # -- a request --------------------------------------------------------------------------------------------------
    @property
    def delays_decisions(self) -> bool:
        """Whether routing decisions are delayed now."""
        return any(entry.delays_decisions for entry in self._entries.values())

    async def wait_for_decision(self) -> list[FaultHit]:
        """Waits for the caller's turn, first come first served; returns the behaviours that delayed it. A cancelled
        caller keeps its turn."""
        met: dict[str, FaultHit] = {}
        while self.delays_decisions:
            now = self._loop.time()
            for fault_id, entry in self._entries.items():
                if entry.delays_decisions and fault_id not in met:
                    met[fault_id] = entry.hit
                    self.hits[fault_id] += 1
            each_s = sum(entry.behaviour.decision_s for entry in self._entries.values())
            self._free_at = max(self._free_at, now) + each_s
            changed = self._changed
            try:
                async with asyncio.timeout(self._free_at - now):
                    await changed.wait()
            except TimeoutError:
                break
        return list(met.values())

    def count_sent(self, replica: ReplicaState) -> list[FaultHit]:
        """An attempt goes to `replica`: returns the behaviours because of which an unhealthy replica was not
        excluded."""
        if not (replica.health_ignored and replica.known_unhealthy):
            return []
        met = [entry for entry in self._entries.values() if replica.name in entry.behaviour.health_ignored_of]
        for entry in met:
            self.hits[entry.hit.fault_id] += 1
        return [entry.hit for entry in met]

    # -- internal -----------------------------------------------------------------------------------------------------
    def _drop(self, fault_id: str) -> None:
        entry = self._entries.pop(fault_id, None)
        if entry is not None:
            entry.timer.cancel()
            self._apply()

    def _apply(self) -> None:
        """After a change: all waiting callers compute their turn again, in the same order."""
        stalled = (entry.stalled_until for entry in self._entries.values())
        self._free_at = max(self._loop.time(), *stalled) if self._entries else self._loop.time()
        self._changed.set()
        self._changed = asyncio.Event()
        ignored = frozenset[str]().union(*(entry.behaviour.health_ignored_of for entry in self._entries.values()))
        for name in self._replicas:
            self._ignore_health(name, name in ignored)
